"""``python -m loadtests.fuzz``: posts valid, malformed and malicious images to a service and checks every response."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from loadtests.fuzz.requests import CONNECTIONS, generate, run
from loadtests.load import Stats
from loadtests.processes import TOPOLOGIES, Server, start_service
from loadtests.report import Check, Report

# Requests that are generated before they are sent, so that generating them does not delay the responses.
WAVE: Final = 2000
# After this many requests a service has its buffers and caches: growth counts from here.
WARM_UP_REQUESTS: Final = 2000
MAX_P99_MS: Final = 100.0
MAX_GROWTH_MB: Final = 64.0
SHOWN_FAULTS: Final = 20


@dataclass(frozen=True, slots=True)
class FuzzReport(Report):
    """The responses, the growth of the service's private memory in MB, and how many of its processes ended."""

    stats: Stats
    growth_mb: float
    lost: int

    def checks(self) -> list[Check]:
        """What no input may cause."""
        stats, errors = self.stats, self.stats.server_errors
        bad, good = stats.bad_faults.total(), stats.good_faults.total()
        p99, growth = stats.milliseconds(99, success=False), self.growth_mb
        return [
            Check("5xx other than 503", "0", f"{errors}", not errors),
            Check("responses that break the API contract", "0", f"{bad}", not bad),
            Check("good images without the right label", "0", f"{good}", not good),
            Check("processes lost", "0", f"{self.lost}", not self.lost),
            Check("refused, p99", f"under {MAX_P99_MS:g} ms", f"{p99:.1f} ms", p99 < MAX_P99_MS),
            Check("memory growth", f"under +{MAX_GROWTH_MB:g} MB", f"{growth:+.1f} MB", growth < MAX_GROWTH_MB),
        ]

    def text(self) -> str:
        """All figures."""
        refused, accepted = ([self.stats.milliseconds(p, success=ok) for p in (50, 99, 100)] for ok in (False, True))
        faults = [f"fault: {request.name}: {fault}\n" for request, fault in self.stats.examples[:SHOWN_FAULTS]]
        return (
            f"{self.stats.sent:,} requests: {self.stats.status_counts()}\n"
            f"refused: p50 {refused[0]:.1f}, p99 {refused[1]:.1f}, max {refused[2]:.0f} ms\n"
            f"accepted: p50 {accepted[0]:.1f}, p99 {accepted[1]:.1f} ms\n\n{self.check_table()}\n{''.join(faults)}"
        )


def fuzz(server: Server, requests: int, seed: int, connections: int) -> FuzzReport:
    """Send ``requests`` to a service and compare its processes before and after."""
    stats, stream = Stats(), generate(urlsplit(server.address).netloc, requests, seed)
    before = warm = server.sample()
    while wave := list(islice(stream, WAVE)):
        asyncio.run(run(server.address, wave, stats, connections))
        if stats.sent <= WARM_UP_REQUESTS:
            warm = server.sample()
    after = server.sample()
    return FuzzReport(stats, after.private_mb - warm.private_mb, len(before.pids - after.pids))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails. Requests with a wrong response are written to a folder."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="requests at a time")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same requests")
    parser.add_argument("--topology", choices=TOPOLOGIES, default="embedded")
    parser.add_argument(
        "--faults", type=Path, default=Path("build/fuzz"), metavar="DIR", help="where faulty requests are written"
    )
    options = parser.parse_args(arguments)
    with start_service(options.topology) as server:
        report = fuzz(server, options.requests, options.seed, options.connections)
    sys.stdout.write(report.text())
    for number, (request, _) in enumerate(report.stats.examples):
        options.faults.mkdir(parents=True, exist_ok=True)
        (options.faults / f"{number}.bin").write_bytes(request.content)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
