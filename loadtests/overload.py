"""``python -m loadtests.overload``: offers a service twice its peak rate and measures goodput, refusals and recovery."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Final

import uvloop

from loadtests.http_client import ConnectionPool
from loadtests.images import load_images
from loadtests.load import Stats, closed_loop, open_loop
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


@dataclass(frozen=True, slots=True)
class OverloadReport(Report):
    """Stats at the peak and under overload, and the seconds until the peak was reached again afterwards."""

    peak: Stats
    offered: float
    overload: Stats
    recovery_seconds: float

    def checks(self) -> list[Check]:
        """What an overloaded service must do."""
        over, (refused,) = self.overload, self.overload.milliseconds(99, success=False)
        recovery = Bound(MAX_RECOVERY_SECONDS, "{:.1f} s")
        return [
            Check("responses other than a right label or a 429 with Retry-After", NONE, over.good_faults.total()),
            Check("goodput, share of the peak", Bound(0.8, "{:.0%}", at_least=True), over.goodput / self.peak.goodput),
            Check("refused, p99", Bound(50, "{:.1f} ms"), refused),
            Check(f"recovery to {RECOVERED:.0%} of the peak", recovery, self.recovery_seconds),
        ]

    def text(self) -> str:
        """All figures."""
        heads = ("", "s", "goodput, 1/s", "accepted: p50, p99 ms", "refused: p50, p99 ms", "responses", "dropped")
        rows = []
        for name, stats in ((f"{CLIENTS} clients", self.peak), (f"{self.offered:.0f} requests/s", self.overload)):
            latencies = ("{:.1f}, {:.1f}".format(*stats.milliseconds(50, 99, success=success)) for success in (True, False))
            figures = (f"{stats.duration:.0f}", f"{stats.goodput:.0f}", *latencies, stats.status_counts(), f"{stats.dropped:,}")
            rows.append([name, *figures])
        faults = "".join(f"\nfault: {count:,} x {fault}" for fault, count in self.overload.good_faults.items())
        return f"{table(heads, rows)}\n\n{check_table(self.checks())}{faults}"


async def overload(server: Server, options: argparse.Namespace) -> OverloadReport:
    """Measure the peak rate, offer a multiple of it for some time, and wait until the peak is reached again."""
    image, pool = load_images()[options.image], ConnectionPool(server.address, MAX_CONNECTIONS)
    requests = repeat(form_request(image.name, [image.data], statuses=frozenset((200, 429)), labels=(image.expected,)))

    async def measure_peak(seconds: float) -> Stats:
        stats = Stats()
        stats.duration = await closed_loop(pool, requests, stats.add, CLIENTS, seconds)
        return stats

    await measure_peak(WINDOW_SECONDS)
    peak, over = await measure_peak(PEAK_SECONDS), Stats()
    offered, started = options.factor * peak.goodput, perf_counter()
    tasks = await open_loop(pool, requests, over.add, offered, options.seconds)
    over.duration = perf_counter() - started
    for task in list(tasks):
        await task
    started = perf_counter()
    while (await measure_peak(WINDOW_SECONDS)).goodput < RECOVERED * peak.goodput:
        if perf_counter() - started > 3 * MAX_RECOVERY_SECONDS:
            break
    pool.close()
    return OverloadReport(peak, offered, over, perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="duration of the overload")
    parser.add_argument("--factor", type=float, default=2.0, help="times the peak rate")
    parser.add_argument("--image", choices=tuple(load_images()), default="canvas")
    return run_test(parser, arguments, lambda server, options: uvloop.run(overload(server, options)))


if __name__ == "__main__":
    sys.exit(main())
