"""``python -m loadtests.overload``: offers a service twice its peak rate and measures goodput, refusals and recovery."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Final

import uvloop

from loadtests.http_client import FORM_TYPE, ConnectionPool, Request, encode_form, encode_request
from loadtests.images import load_images
from loadtests.load import Stats, closed_loop, open_loop
from loadtests.processes import TOPOLOGIES, start_service
from loadtests.report import Check, Report, table

CLIENTS: Final = 32
MAX_CONNECTIONS: Final = 2048
WINDOW_SECONDS: Final = 1.0
PEAK_SECONDS: Final = 10.0
# Shares of the peak rate: what counts as recovered, and the least goodput under overload.
RECOVERED: Final = 0.9
MIN_GOODPUT: Final = 0.8
MAX_RECOVERY_SECONDS: Final = 10.0
MAX_REFUSED_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class OverloadReport(Report):
    """Stats at the peak and under overload, and the seconds until the peak was reached again afterwards."""

    peak: Stats
    offered: float
    overload: Stats
    recovery_seconds: float

    def checks(self) -> list[Check]:
        """What an overloaded service must do."""
        over, recovery = self.overload, self.recovery_seconds
        share, refused = over.goodput / self.peak.goodput, over.milliseconds(99, success=False)
        faults = ", ".join(f"{count:,} x {fault}" for fault, count in over.good_faults.items())
        return [
            Check("responses other than a right label or a 429 with Retry-After", "0", faults or "0", not faults),
            Check("goodput", f"at least {MIN_GOODPUT:.0%} of the peak", f"{share:.0%}", share >= MIN_GOODPUT),
            Check("refused, p99", f"under {MAX_REFUSED_MS:g} ms", f"{refused:.1f} ms", refused < MAX_REFUSED_MS),
            Check(
                f"{RECOVERED:.0%} of the peak again",
                f"within {MAX_RECOVERY_SECONDS:g} s",
                f"{recovery:.1f} s",
                recovery <= MAX_RECOVERY_SECONDS,
            ),
        ]

    def text(self) -> str:
        """All figures."""
        heads = ("", "s", "goodput, 1/s", "accepted: p50, p99 ms", "refused: p50, p99 ms", "responses", "dropped")
        rows = []
        for name, stats in ((f"{CLIENTS} clients", self.peak), (f"{self.offered:.0f} requests/s", self.overload)):
            accepted, refused = (
                f"{stats.milliseconds(50, success=ok):.1f}, {stats.milliseconds(99, success=ok):.1f}" for ok in (True, False)
            )
            figures = (f"{stats.duration:.0f}", f"{stats.goodput:.0f}", accepted, refused)
            rows.append([name, *figures, stats.status_counts(), f"{stats.dropped:,}"])
        return f"{table(heads, rows)}\n\n{self.check_table()}\n"


async def overload(address: str, image_name: str, factor: float, peak_seconds: float, seconds: float) -> OverloadReport:
    """Measure the peak rate, offer ``factor`` times as much for ``seconds``, and wait until the peak is reached again."""
    image, pool = load_images()[image_name], ConnectionPool(address, MAX_CONNECTIONS)
    content = encode_request(pool.host, "POST", "/classify", encode_form([image.data]), FORM_TYPE)
    label = f'"label":"{image.label}"'.encode()
    requests = repeat(Request(image_name, content, frozenset((200, 429)), labels=(label,)))

    async def measure_peak(seconds: float) -> Stats:
        stats = Stats()
        stats.duration = await closed_loop(pool, requests, stats.add, CLIENTS, seconds)
        return stats

    await measure_peak(WINDOW_SECONDS)
    peak, over = await measure_peak(peak_seconds), Stats()
    offered, started = factor * peak.goodput, perf_counter()
    tasks = await open_loop(pool, requests, over.add, offered, seconds)
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
    parser.add_argument("--topology", choices=TOPOLOGIES, default="embedded")
    options = parser.parse_args(arguments)
    with start_service(options.topology) as server:
        report = uvloop.run(overload(server.address, options.image, options.factor, PEAK_SECONDS, options.seconds))
    sys.stdout.write(report.text())
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
