"""``python -m loadtests.overload``: twice what a service can take, for a while. What does it still answer, and how fast?"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import numpy as np
import uvloop

from loadtests.bench.contestants import CONTESTANTS, import_models, serving
from loadtests.bench.pictures import CONTENT_TYPE, form, pictures
from loadtests.lines import Answer, Lines, wire

CONNECTIONS: Final = 32
MOST_LINES: Final = 2048
TICK_SECONDS: Final = 0.005
WINDOW_SECONDS: Final = 1.0
# Of the peak: what counts as recovered, and what must be answered meanwhile.
RECOVERED: Final = 0.9
LEAST_GOODPUT: Final = 0.8
RECOVERY_SECONDS: Final = 10.0
MOST_REFUSED_MS: Final = 50.0


@dataclass(slots=True)
class Tally:
    """The answers to one load: their seconds by status, those that are wrong, refusals that do not say when to try again, and
    requests for which no connection was free."""

    took: float = 0.0
    seconds: dict[int, list[float]] = field(default_factory=dict)
    wrong: int = 0
    unhelpful: int = 0
    unsent: int = 0

    def add(self, answer: Answer | None, label: bytes) -> None:
        """Count one answer."""
        if answer is None:
            self.unsent += 1
            return
        self.seconds.setdefault(answer.status, []).append(answer.seconds)
        self.wrong += answer.status == 200 and b'"label":"' + label + b'"' not in answer.content
        self.unhelpful += answer.status in (429, 503) and b"\r\nretry-after: " not in answer.content.lower()

    def rate(self, status: int = 200) -> float:
        """Answers of a status a second."""
        return len(self.seconds.get(status, [])) / self.took

    def percentile(self, status: int, share: int) -> float:
        """Milliseconds that a share of the answers of a status took at most; 0 where there are none."""
        return float(np.percentile(self.seconds[status], share)) * 1000 if self.seconds.get(status) else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """The peak, the overload, and the seconds until the peak was reached again afterwards."""

    peak: Tally
    offered: float
    overload: Tally
    recovery_seconds: float

    @property
    def stands(self) -> bool:
        """Whether what is promised was kept."""
        over = self.overload
        right = set(over.seconds) <= {200, 429} and not over.wrong and not over.unhelpful
        enough = over.rate() >= LEAST_GOODPUT * self.peak.rate() and self.recovery_seconds <= RECOVERY_SECONDS
        return right and enough and over.percentile(429, 99) < MOST_REFUSED_MS

    def lines(self) -> list[str]:
        """The figures in words."""
        peak, over = self.peak, self.overload
        counts = ", ".join(f"{len(seconds):,} x {status}" for status, seconds in sorted(over.seconds.items()))
        return [
            f"peak: {peak.rate():.0f} requests/s at {CONNECTIONS} connections, p50 {peak.percentile(200, 50):.1f}, "
            f"p99 {peak.percentile(200, 99):.1f} ms",
            f"overload: {self.offered:.0f} requests/s offered for {over.took:.0f} s: {counts}; not sent: {over.unsent}",
            f"goodput: {over.rate():.0f} requests/s, {over.rate() / peak.rate():.0%} of the peak",
            f"accepted: p50 {over.percentile(200, 50):.1f}, p99 {over.percentile(200, 99):.1f} ms",
            f"refused: p50 {over.percentile(429, 50):.1f}, p99 {over.percentile(429, 99):.1f} ms",
            f"wrong labels: {over.wrong}; refusals without Retry-After: {over.unhelpful}",
            f"the peak again (within {1 - RECOVERED:.0%}) after {self.recovery_seconds:.1f} s",
        ]


async def closed(lines: Lines, label: bytes, seconds: float) -> Tally:
    """``CONNECTIONS`` clients, each of which asks again when it has its answer."""
    tally, began = Tally(), perf_counter()

    async def client() -> None:
        while perf_counter() < began + seconds:
            tally.add(await lines.ask(), label)

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    tally.took = perf_counter() - began
    return tally


async def offered(lines: Lines, label: bytes, rate: float, seconds: float) -> Tally:
    """``rate`` requests a second, whatever becomes of those before."""
    tally, began = Tally(), perf_counter()
    asked: set[asyncio.Task[None]] = set()

    async def ask() -> None:
        tally.add(await lines.ask(), label)

    sent = 0
    while (now := perf_counter() - began) < seconds:
        for _ in range(int(now * rate) - sent):
            task = asyncio.create_task(ask())
            asked.add(task)
            task.add_done_callback(asked.discard)
        sent = int(now * rate)
        await asyncio.sleep(TICK_SECONDS)
    tally.took = perf_counter() - began
    await asyncio.gather(*asked)
    return tally


async def overload(address: str, picture: str, factor: float, peak_seconds: float, seconds: float) -> Result:
    """Find the peak, offer ``factor`` times as much for ``seconds``, and see when the peak is back."""
    label = pictures()[picture].label.encode()
    body = form([pictures()[picture].data])
    lines = Lines(address, wire(urlsplit(address).netloc, "POST", "/classify", body, CONTENT_TYPE), MOST_LINES)
    await closed(lines, label, WINDOW_SECONDS)
    peak = await closed(lines, label, peak_seconds)
    over = await offered(lines, label, factor * peak.rate(), seconds)
    began = perf_counter()
    while (await closed(lines, label, WINDOW_SECONDS)).rate() < RECOVERED * peak.rate():
        if perf_counter() - began > 3 * RECOVERY_SECONDS:
            break
    lines.close()
    return Result(peak, factor * peak.rate(), over, perf_counter() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 when the service did not keep what it promises."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the overload lasts")
    parser.add_argument("--factor", type=float, default=2.0, help="times the peak")
    parser.add_argument("--picture", choices=tuple(pictures()), default="canvas")
    parser.add_argument("--contestant", choices=("embedded", "runner"), default="embedded", help="the topology")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        import_models(home)
        with serving(CONTESTANTS[options.contestant], home) as server:
            running = overload(server.address, options.picture, options.factor, 10.0, options.seconds)
            result = uvloop.run(running)
    sys.stdout.write("\n".join(result.lines()) + "\n")
    return 0 if result.stands else 1


if __name__ == "__main__":
    sys.exit(main())
