"""Ordinary requests beside an attack, and the memory of the service meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from loadtests.bench.pictures import CONTENT_TYPE, form, pictures
from loadtests.lines import BROKEN, Answer, Lines, wire

RATE: Final = 40.0
CONNECTIONS: Final = 512
ANSWER_SECONDS: Final = 10.0
MEMORY_SECONDS: Final = 0.2
# What is promised.
MOST_FAILED: Final = 0.02
MOST_P99_SECONDS: Final = 0.5
BODY_BUDGET_MB: Final = 256.0
# Beside the bodies: pictures being decoded, answers, and what the allocator keeps.
OTHER_MB: Final = 128.0
LEFT_MB: Final = 96.0


@dataclass(slots=True)
class Report:
    """How long ordinary requests took since each was due, in seconds, how they ended, and the memory of the service's processes
    in MB: before the attack, at most during it, and a while after it."""

    name: str
    before_mb: float
    seconds: list[float] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    most_mb: float = 0.0
    after_mb: float = 0.0

    @property
    def failed(self) -> float:
        """The share of ordinary requests without the right answer."""
        total = self.endings.total()
        return (total - self.endings["right"]) / max(1, total)

    @property
    def p99(self) -> float:
        """Seconds that 99 % of all ordinary requests took at most, failed ones included."""
        return float(np.percentile(self.seconds, 99)) if self.seconds else float("inf")

    @property
    def passed(self) -> bool:
        """Whether what is promised held."""
        grown, left = self.most_mb - self.before_mb, self.after_mb - self.before_mb
        return (
            self.failed <= MOST_FAILED
            and self.p99 < MOST_P99_SECONDS
            and grown <= BODY_BUDGET_MB + OTHER_MB
            and left <= LEFT_MB
        )

    def line(self) -> str:
        """A row of the table."""
        others = ", ".join(f"{count} {ending}" for ending, count in sorted(self.endings.items()) if ending != "right")
        failed = f"{self.failed:.1%} ({others})" if others else "none"
        p50 = float(np.percentile(self.seconds, 50)) if self.seconds else float("inf")
        figures = (f"{figure:.0f}" for figure in (p50 * 1000, self.p99 * 1000, self.before_mb, self.most_mb, self.after_mb))
        cells = [self.name, str(self.endings.total()), failed, *figures, "yes" if self.passed else "**no**"]
        return f"| {' | '.join(cells)} |"


HEADER: Final = (
    "| attack | ordinary requests | failed | p50, ms | p99, ms | memory before, MB | at most | 15 s after | passed |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
)


async def watch_memory(report: Report, memory_mb: Callable[[], float]) -> None:
    """Note the most memory until cancelled."""
    while True:
        report.most_mb = max(report.most_mb, await asyncio.to_thread(memory_mb))
        await asyncio.sleep(MEMORY_SECONDS)


async def ask_ordinary(report: Report, address: str, seconds: float) -> None:
    """Post a canvas ``RATE`` times a second, whatever becomes of those before; seconds count from when each was due."""
    picture = pictures()["canvas"]
    label = f'"label":"{picture.label}"'.encode()
    host = urlsplit(address).netloc
    lines = Lines(address, wire(host, "POST", "/classify", form([picture.data]), CONTENT_TYPE), CONNECTIONS)

    async def ask(due: float) -> None:
        answer: Answer | None
        try:
            answer = await asyncio.wait_for(lines.ask(), ANSWER_SECONDS)
        except asyncio.TimeoutError:
            answer = None
        report.seconds.append(perf_counter() - due)
        report.endings[_ending(answer, label)] += 1

    began, asked = perf_counter(), []
    for number in range(int(seconds * RATE)):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - perf_counter()))
        asked.append(asyncio.create_task(ask(due)))
    await asyncio.gather(*asked)
    lines.close()


def _ending(answer: Answer | None, label: bytes) -> str:
    if answer is None:
        return "without an answer"
    if answer.status == BROKEN:
        return "broken off"
    if answer.status != 200:
        return str(answer.status)
    return "right" if label in answer.content else "wrong"
