"""Runs the scenarios: every server alone on the machine in its turn, warmed up, round after round."""

import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil

from loadtests.benchmark.devices import LIMITS, limit
from loadtests.benchmark.results import Figure, Measurement
from loadtests.benchmark.scenarios import CANVAS_32, ENDURANCE, Scenario
from loadtests.benchmark.wrk import children_cpu_seconds, post
from loadtests.processes import SERVERS, Server, start_server

WARM_UP_SECONDS: Final = 2
# CPU times that are no work, or that the kernel counts as user time already.
_NOT_BUSY: Final = ("idle", "iowait", "guest", "guest_nice")


def log(line: str) -> None:
    """Print progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run_rounds(scenarios: Sequence[Scenario], rounds: int, seconds: int, home: Path) -> tuple[list[Measurement], list[Figure]]:
    """Run all scenarios on all servers in turn, and the limit without HTTP, ``rounds`` times.

    Raises:
        ServerError, WrkError: a server or the load generator failed.
    """
    figures: list[Measurement] = []
    limits: list[Figure] = []
    for number in range(1, rounds + 1):
        for name in SERVERS:
            figures += run_server(name, [one for one in scenarios if name in one.servers], number, seconds, home)
        for image, batch in LIMITS:
            rate = limit(image, batch, seconds)
            log(f"round {number}  {'no HTTP':10} {image} in batches of {batch}: {rate:.0f} images/s")
            limits.append(Figure(name=image, value=rate, unit="images/s", batch=batch))
    return figures, limits


def run_server(name: str, scenarios: Sequence[Scenario], number: int, seconds: int, home: Path) -> list[Measurement]:
    """Run one server's turn in round ``number``: start, warm up, every scenario, stop."""
    if not scenarios:
        return []
    with start_server(SERVERS[name], home) as server:
        for scenario in scenarios:
            scenario.check(server)
        post(server.address + CANVAS_32.route, CANVAS_32.body(), CANVAS_32.connections, WARM_UP_SECONDS)
        return [measure(server, name, scenario, number, seconds) for scenario in scenarios]


def run_endurance(seconds: int, home: Path) -> list[Measurement]:
    """Run the long runs, one after the other."""
    return [one for name, scenario in ENDURANCE for one in run_server(name, [scenario], 0, seconds, home)]


def measure(server: Server, name: str, scenario: Scenario, number: int, seconds: int) -> Measurement:
    """Measure one scenario on a running server."""
    body, before, started = scenario.body(), _cpu_seconds(server), perf_counter()
    load = post(server.address + scenario.route, body, scenario.connections, seconds)
    used, client, machine = (after - start for after, start in zip(_cpu_seconds(server), before, strict=True))
    available = (perf_counter() - started) * psutil.cpu_count()
    figures = Measurement(
        **load.model_dump(),
        round=number,
        server=name,
        scenario=scenario.name,
        cpu_seconds=used,
        foreign_share=max(0.0, machine - used - client) / available,
    )
    turn = f"round {number}" if number else "long run"
    log(
        f"{turn}  {name:10} {scenario.name:10} {figures.rate:7.0f} requests/s  p50 {figures.p50_ms:6.1f}  "
        f"p99 {figures.p99_ms:6.1f} ms  CPU {figures.cpu_ms:5.2f} ms  errors {figures.errors}  "
        f"other programs {figures.foreign_share:.0%}"
    )
    return figures


def _cpu_seconds(server: Server) -> tuple[float, float, float]:
    """CPU time used so far by the server, by wrk, and by anything on the machine."""
    times: dict[str, float] = psutil.cpu_times()._asdict()
    machine = sum(seconds for name, seconds in times.items() if name not in _NOT_BUSY)
    return server.sample().cpu_seconds, children_cpu_seconds(), machine
