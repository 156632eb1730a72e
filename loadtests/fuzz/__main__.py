"""``python -m loadtests.fuzz``: posts valid, malformed and malicious images to a service and checks every response."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from loadtests.fuzz.requests import CONNECTIONS, generate, run
from loadtests.load import Stats
from loadtests.processes import Server
from loadtests.report import NONE, Bound, Check, Report, check_table, run_test

# Requests that are generated before they are sent, so that generating them does not delay the responses.
WAVE: Final = 2000
# After this many requests a service has its buffers and caches: growth counts from here.
WARM_UP_REQUESTS: Final = 2000
SHOWN_FAULTS: Final = 20


@dataclass(frozen=True, slots=True)
class FuzzReport(Report):
    """The responses, the growth of the service's private memory in MB, and how many of its processes ended."""

    stats: Stats
    growth_mb: float
    lost: int

    def checks(self) -> list[Check]:
        """What no input may cause."""
        stats, (p99,) = self.stats, self.stats.milliseconds(99, success=False)
        return [
            Check("5xx other than 503", NONE, stats.server_errors),
            Check("responses that break the API contract", NONE, stats.bad_faults.total()),
            Check("good images without the right label", NONE, stats.good_faults.total()),
            Check("processes lost", NONE, self.lost),
            Check("refused, p99", Bound(100, "{:.1f} ms"), p99),
            Check("memory growth", Bound(64, "{:+.1f} MB"), self.growth_mb),
        ]

    def text(self) -> str:
        """All figures."""
        faults = [f"\nfault: {request.name}: {fault}" for request, fault in self.stats.examples[:SHOWN_FAULTS]]
        return (
            f"{self.stats.sent:,} requests: {self.stats.status_counts()}\n"
            + "refused: p50 {:.1f}, p99 {:.1f}, max {:.0f} ms\n".format(*self.stats.milliseconds(50, 99, 100, success=False))
            + "accepted: p50 {:.1f}, p99 {:.1f} ms\n\n".format(*self.stats.milliseconds(50, 99, success=True))
            + f"{check_table(self.checks())}{''.join(faults)}"
        )


def fuzz(server: Server, options: argparse.Namespace) -> FuzzReport:
    """Send requests to a service and compare its processes before and after; writes those with a wrong response to a folder."""
    stats, stream = Stats(), generate(options.requests, options.seed)
    before = warm = server.sample()
    while wave := list(islice(stream, WAVE)):
        asyncio.run(run(server.address, wave, stats, options.connections))
        if stats.sent <= WARM_UP_REQUESTS:
            warm = server.sample()
    after = server.sample()
    for number, (request, _) in enumerate(stats.examples):
        options.faults.mkdir(parents=True, exist_ok=True)
        (options.faults / f"{number}.bin").write_bytes(request.encode("localhost"))
    return FuzzReport(stats, after.private_mb - warm.private_mb, len(before.pids - after.pids))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="requests at a time")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same requests")
    parser.add_argument("--faults", type=Path, default=Path("build/fuzz"), metavar="DIR", help="where faulty requests go")
    return run_test(parser, arguments, fuzz)


if __name__ == "__main__":
    sys.exit(main())
