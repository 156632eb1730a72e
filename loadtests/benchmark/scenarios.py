"""The loads of the benchmark, and their rounds: every server alone on the machine in its turn, warmed up."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import httpx
import psutil

from loadtests.benchmark.offline import LIMITS, limit
from loadtests.benchmark.results import Figure, Measurement
from loadtests.benchmark.wrk import post
from loadtests.images import benchmark_images
from loadtests.processes import SERVERS, Server, ServerError, post_form, start_server
from loadtests.requests import encode_form
from loadtests.resources import children_cpu_seconds, machine_cpu_seconds

BATCH: Final = 64
WARM_UP_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load: a form with ``images`` copies of an image, posted over ``connections`` connections to ``servers``."""

    name: str
    title: str
    image: str
    connections: int
    route: str = "/classify"
    field: str = "image"
    images: int = 1
    servers: tuple[str, ...] = tuple(SERVERS)

    def body(self) -> bytes:
        """Encode the form that every request posts."""
        return encode_form([benchmark_images()[self.image].data] * self.images, self.field)

    def check(self, server: Server) -> None:
        """Post the form once.

        Raises:
            ServerError: the response is not 200 with the right label for every image.
        """
        response = post_form(server.address + self.route, self.body())
        if response.status_code != 200 or labels(response) != [benchmark_images()[self.image].label] * self.images:
            raise ServerError(f"{self.name} was answered {response.status_code} {response.text[:300]}")


def labels(response: httpx.Response) -> list[str]:
    """The labels in a response: of one image, or of every entry of a batch."""
    answer = response.json()
    entries = answer if isinstance(answer, list) else [answer]
    return [str(entry.get("label")) for entry in entries]


TITLES: Final = {"canvas": "280x280 canvas", "small": "16x16 grey", "drawing": "1050x800 drawing"}
CONNECTIONS: Final = {1: "1 connection", 32: "32 connections"}
# What all servers are compared on: every image at every number of connections.
COMPARED: Final = tuple(
    Scenario(f"{image}@{number}", f"{title}, {connections}", image, number)
    for image, title in TITLES.items()
    for number, connections in CONNECTIONS.items()
)
SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        *COMPARED,
        Scenario("canvas@64", "280x280 canvas, 64 connections", "canvas", 64, servers=("bentoml", "runner")),
        Scenario(
            "batch@4", f"{BATCH} x 16x16 grey, 4 connections", "small", 4, "/classify/batch", "images", BATCH, ("embedded",)
        ),
    )
}
WARM_UP: Final = SCENARIOS["canvas@32"]
# Long runs: the server and the scenario.
ENDURANCE: Final = (("embedded", "canvas@32"), ("runner", "canvas@64"))


def log(line: str) -> None:
    """Print progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run_rounds(names: Sequence[str], rounds: int, seconds: int, home: Path) -> list[Measurement]:
    """Run the named scenarios on all servers that are installed in turn, ``rounds`` times.

    Raises:
        ServerError, WrkError: a server or the load generator failed.
    """
    if absent := [server.title for server in SERVERS.values() if not server.is_installed]:
        log(f"Not installed, left out: {', '.join(absent)}. `make setup-peers` installs them.")
    installed = [name for name, server in SERVERS.items() if server.is_installed]
    turns = [(number, server) for number in range(1, rounds + 1) for server in installed]
    return [one for number, server in turns for one in run_server(server, names, number, seconds, home)]


def run_limits(rounds: int, seconds: int) -> list[Figure]:
    """Measure the limits without HTTP: medians of ``rounds``."""
    found = []
    for image, batch in LIMITS:
        rate = median(limit(image, batch, seconds) for _ in range(rounds))
        log(f"no HTTP  {image} in batches of {batch}: {rate:.0f} images/s")
        found.append(Figure(name=image, value=rate, unit="images/s", batch=batch))
    return found


def run_server(server_name: str, names: Sequence[str], number: int, seconds: int, home: Path) -> list[Measurement]:
    """Run one server's turn in round ``number``: start, warm up, those of the scenarios that it supports, stop."""
    scenarios = [SCENARIOS[name] for name in names if server_name in SCENARIOS[name].servers]
    if not scenarios:
        return []
    with start_server(SERVERS[server_name], home) as server:
        for scenario in scenarios:
            scenario.check(server)
        post(server.address + WARM_UP.route, WARM_UP.body(), WARM_UP.connections, WARM_UP_SECONDS)
        return [measure(server, server_name, scenario, number, seconds) for scenario in scenarios]


def run_endurance(seconds: int, home: Path) -> list[Measurement]:
    """Run the long runs, one after the other."""
    return [one for server, scenario in ENDURANCE for one in run_server(server, [scenario], 0, seconds, home)]


def measure(server: Server, name: str, scenario: Scenario, number: int, seconds: int) -> Measurement:
    """Measure one scenario on a running server."""
    body, before, started = scenario.body(), _cpu_seconds(server), perf_counter()
    load = post(server.address + scenario.route, body, scenario.connections, seconds)
    used, client, machine = (after - start for after, start in zip(_cpu_seconds(server), before, strict=True))
    available = (perf_counter() - started) * (psutil.cpu_count() or 1)
    figures = Measurement(
        **load.model_dump(),
        round=number,
        server=name,
        scenario=scenario.name,
        cpu_seconds=used,
        foreign_share=max(0.0, machine - used - client) / available,
    )
    log(
        f"{f'round {number}' if number else 'long run'}  {name:10} {scenario.name:14} {figures.rate:7.0f} requests/s  "
        f"p50 {figures.p50_ms:6.1f}  p99 {figures.p99_ms:6.1f} ms  CPU {figures.cpu_ms:5.2f} ms  errors {figures.errors}"
    )
    return figures


def _cpu_seconds(server: Server) -> tuple[float, float, float]:
    """CPU time used so far by the server, by wrk, and by anything on the machine."""
    return server.sample().cpu_seconds, children_cpu_seconds(), machine_cpu_seconds()
