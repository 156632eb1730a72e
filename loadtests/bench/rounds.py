"""The measuring itself: every contestant alone on the machine in its turn, warmed up, round after round."""

import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil

from loadtests.baselines.limit import CELLS, limit
from loadtests.bench.contestants import CONTESTANTS, Server, serving
from loadtests.bench.machine import busy_seconds
from loadtests.bench.results import Figures, Limit
from loadtests.bench.scenarios import CANVAS_32, ENDURANCE, Scenario
from loadtests.bench.wrk import post

WARM_UP_SECONDS: Final = 2


def say(line: str) -> None:
    """Print progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run_rounds(scenarios: Sequence[Scenario], rounds: int, seconds: int, home: Path) -> tuple[list[Figures], list[Limit]]:
    """All scenarios of all contestants in turn, and the limit without HTTP, ``rounds`` times over.

    Raises:
        ContestantError, WrkError: a server or the load failed.
    """
    figures: list[Figures] = []
    limits: list[Limit] = []
    for number in range(1, rounds + 1):
        for name in CONTESTANTS:
            figures += run_contestant(name, [one for one in scenarios if name in one.contestants], number, seconds, home)
        for picture, batch in CELLS:
            rate = limit(picture, batch, seconds)
            say(f"round {number}  {'no HTTP':10} {picture} in batches of {batch}: {rate:.0f} images/s")
            limits.append(Limit(round=number, picture=picture, batch=batch, images_per_second=rate))
    return figures, limits


def run_contestant(name: str, scenarios: Sequence[Scenario], number: int, seconds: int, home: Path) -> list[Figures]:
    """One contestant's turn in round ``number``: start, warm up, every scenario, stop."""
    if not scenarios:
        return []
    with serving(CONTESTANTS[name], home) as server:
        for scenario in scenarios:
            scenario.check(server)
        post(server.address + CANVAS_32.route, CANVAS_32.body(), CANVAS_32.connections, WARM_UP_SECONDS)
        return [measure(server, name, scenario, number, seconds) for scenario in scenarios]


def run_endurance(seconds: int, home: Path) -> list[Figures]:
    """The long runs, one after the other."""
    return [figures for name, scenario in ENDURANCE for figures in run_contestant(name, [scenario], 0, seconds, home)]


def measure(server: Server, name: str, scenario: Scenario, number: int, seconds: int) -> Figures:
    """One scenario on a server that runs."""
    server_before, machine_before, started = server.cpu_seconds(), busy_seconds(), perf_counter()
    load = post(server.address + scenario.route, scenario.body(), scenario.connections, seconds)
    used, machine_used, passed = server.cpu_seconds() - server_before, busy_seconds() - machine_before, perf_counter() - started
    figures = Figures(
        round=number,
        contestant=name,
        scenario=scenario.name,
        requests=load.requests,
        seconds=load.seconds,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        status_errors=load.status_errors,
        socket_errors=load.socket_errors,
        cpu_seconds=used,
        foreign_share=max(0.0, machine_used - used - load.cpu_seconds) / (passed * psutil.cpu_count()),
    )
    turn = f"round {number}" if number else "long run"
    say(
        f"{turn}  {name:10} {scenario.name:10} {figures.rate:7.0f} requests/s  p50 {figures.p50_ms:6.1f}  "
        f"p99 {figures.p99_ms:6.1f} ms  CPU {figures.cpu_ms:5.2f} ms  errors {figures.errors}  "
        f"other programs {figures.foreign_share:.0%}"
    )
    return figures
