"""``python -m loadtests.fuzz``: posts valid, malformed and malicious images to a service and checks every response."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from loadtests.fuzz.requests import CONNECTIONS, generate, run
from loadtests.generator.recorder import Recorder, by_success, milliseconds
from loadtests.processes import Server
from loadtests.report import NONE, Bound, Check, Report, check_table, run_test
from loadtests.requests import Request, Response

# Requests that are generated before they are sent, so that generating them does not delay the responses.
WAVE: Final = 2000
# After this many requests a service has its buffers and caches: growth counts from here.
WARM_UP_REQUESTS: Final = 2000
MAX_WRITTEN: Final = 1000


@dataclass(frozen=True, slots=True)
class FuzzReport(Report):
    """The responses, the growth of the service's private memory in MB, and how many of its processes ended."""

    recorder: Recorder
    growth_mb: float
    lost: int

    def checks(self) -> list[Check]:
        """What no input may cause."""
        kinds = self.recorder.kinds
        (p99,) = milliseconds(kinds["refused"].latencies, 99)
        return [
            Check("5xx other than 503", NONE, self.recorder.server_errors),
            Check("responses that break the API contract", NONE, kinds["accepted"].faulty + kinds["refused"].faulty),
            Check("good images without the right label", NONE, kinds["good"].faulty),
            Check("processes lost", NONE, self.lost),
            Check("refused, p99", Bound(100, "{:.1f} ms"), p99),
            Check("memory growth", Bound(64, "{:+.1f} MB"), self.growth_mb),
        ]

    def text(self) -> str:
        """All figures."""
        latencies = "".join(
            "{}: p50 {:.1f}, p99 {:.1f}, max {:.0f} ms\n".format(kind, *milliseconds(group.latencies, 50, 99, 100))
            for kind, group in sorted(self.recorder.kinds.items())
        )
        faults = "".join(f"\nfault: {example}" for example in self.recorder.examples)
        sent = f"{self.recorder.total.sent:,} requests: {self.recorder.status_counts()}"
        return f"{sent}\n{latencies}\n{check_table(self.checks())}{faults}"


def fuzz(server: Server, options: argparse.Namespace) -> FuzzReport:
    """Send requests to a service and compare its processes before and after; writes those with a wrong response to a folder."""
    recorder, stream, faulty = Recorder(kind=by_success), generate(options.requests, options.seed), list[Request]()

    def handle(request: Request, response: Response) -> None:
        if recorder.add(request, response)[1] and len(faulty) < MAX_WRITTEN:
            faulty.append(request)

    before = warm = server.sample()
    while wave := list(islice(stream, WAVE)):
        run(server.address, wave, handle, options.connections)
        if recorder.total.sent <= WARM_UP_REQUESTS:
            warm = server.sample()
    after = server.sample()
    for number, request in enumerate(faulty):
        options.faults.mkdir(parents=True, exist_ok=True)
        (options.faults / f"{number}.bin").write_bytes(request.encode("localhost"))
    return FuzzReport(recorder, after.private_mb - warm.private_mb, len(before.pids - after.pids))


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
