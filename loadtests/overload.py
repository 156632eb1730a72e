"""``python -m loadtests.overload``: offers a service twice its peak rate and measures goodput, refusals and recovery."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Final

from loadtests.generator.arrivals import constant, poisson
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import closed_loop, open_loop, prioritise
from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import Recorder, milliseconds
from loadtests.images import load_images
from loadtests.processes import Server
from loadtests.report import NONE, Bound, Check, Report, check_table, run_test, table
from loadtests.requests import form_request

CLIENTS: Final = 32
MAX_CONNECTIONS: Final = 2048
WINDOW_SECONDS: Final = 1.0
PEAK_SECONDS: Final = 10.0
# The share of the peak rate that counts as recovered.
RECOVERED: Final = 0.9
MAX_RECOVERY_SECONDS: Final = 10.0
SEED: Final = 1
# What may come of requests to an overloaded service, besides a right label; a 503 is not among it.
EXPECTED: Final = (": refused with 429", ": dropped")


@dataclass(frozen=True, slots=True)
class OverloadReport(Report):
    """Responses at the peak and under overload, and the seconds until the peak was reached again afterwards."""

    peak: Recorder
    offered: float
    overload: Recorder
    recovery_seconds: float

    @property
    def faults(self) -> dict[str, int]:
        """What was wrong under overload, and how often."""
        return {fault: count for fault, count in self.overload.faults.items() if not fault.endswith(EXPECTED)}

    def checks(self) -> list[Check]:
        """What an overloaded service must do."""
        over, (refused,) = self.overload, milliseconds(self.overload.refusals, 99)
        recovery = Bound(MAX_RECOVERY_SECONDS, "{:.1f} s")
        return [
            Check("responses other than a right label or a 429 with Retry-After", NONE, sum(self.faults.values())),
            Check("goodput, share of the peak", Bound(0.8, "{:.0%}", at_least=True), over.goodput / self.peak.goodput),
            Check("refused, p99", Bound(50, "{:.1f} ms"), refused),
            Check(f"recovery to {RECOVERED:.0%} of the peak", recovery, self.recovery_seconds),
        ]

    def text(self) -> str:
        """All figures."""
        heads = (
            "",
            "s",
            "goodput, 1/s",
            "accepted: p50, p99 ms",
            "refused: p50, p99 ms",
            "responses",
            "dropped",
            "sent late: p99 ms",
        )
        rows = []
        for name, one in ((f"{CLIENTS} clients", self.peak), (f"{self.offered:.0f} requests/s", self.overload)):
            latencies = ("{:.1f}, {:.1f}".format(*milliseconds(each, 50, 99)) for each in (one.total.latencies, one.refusals))
            generator = (f"{one.total.count(Outcome.DROPPED):,}", f"{milliseconds(one.lag, 99)[0]:.1f}")
            rows.append([name, f"{one.duration:.0f}", f"{one.goodput:.0f}", *latencies, one.status_counts(), *generator])
        faults = "".join(f"\nfault: {count:,} x {fault}" for fault, count in self.faults.items())
        return f"{table(heads, rows)}\n\n{check_table(self.checks())}{faults}"


def overload(server: Server, options: argparse.Namespace) -> OverloadReport:
    """Measure the peak rate, offer a multiple of it for some time, and wait until the peak is reached again."""
    image, client = load_images()[options.image], ServiceClient(server.address, CLIENTS)
    requests = repeat(form_request(image.name, [image.data], labels=(image.expected,)))

    def measure_peak(seconds: float) -> Recorder:
        recorder = Recorder()
        recorder.duration = closed_loop(client, requests, recorder.add, CLIENTS, seconds)
        return recorder

    measure_peak(WINDOW_SECONDS)
    peak, over = measure_peak(PEAK_SECONDS), Recorder()
    offered, started = options.factor * peak.goodput, perf_counter()
    arrivals = poisson(constant(offered), offered, options.seconds, SEED)
    crowd = ServiceClient(server.address, MAX_CONNECTIONS)
    unanswered = open_loop(crowd, arrivals, requests, over.add, MAX_CONNECTIONS)
    over.duration = perf_counter() - started
    unanswered.join()
    crowd.close()
    started = perf_counter()
    while measure_peak(WINDOW_SECONDS).goodput < RECOVERED * peak.goodput:
        if perf_counter() - started > 3 * MAX_RECOVERY_SECONDS:
            break
    client.close()
    return OverloadReport(peak, offered, over, perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="duration of the overload")
    parser.add_argument("--factor", type=float, default=2.0, help="times the peak rate")
    parser.add_argument("--image", choices=tuple(load_images()), default="canvas")

    def test(server: Server, options: argparse.Namespace) -> OverloadReport:
        prioritise()  # after the service was started
        return overload(server, options)

    return run_test(parser, arguments, test)


if __name__ == "__main__":
    sys.exit(main())
