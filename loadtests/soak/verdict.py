"""What a soak has shown: a row for every interval, and whether what is promised was kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from loadtests.promises import Promise, failures
from loadtests.soak.sender import Tally
from loadtests.vitals import Vitals

# Rows of which the median is taken at the beginning and at the end: one look may fall on a large picture.
WINDOW: Final = 5
MOST_GROWTH: Final = 0.05
# The gallery opens up to four connections to its database in each of two workers when first several ask at a time, with three
# files each; what leaks with requests is soon more.
MOST_DESCRIPTORS: Final = 24
MOST_THREADS: Final = 16


@dataclass(frozen=True, slots=True)
class Row:
    """An interval that ended ``minute`` minutes after the beginning; ``connections`` were open from this side at its end."""

    minute: float
    tally: Tally
    vitals: Vitals
    connections: int

    @property
    def descriptors(self) -> int:
        """Of the service, but for the connections it is asked over."""
        return self.vitals.descriptors - self.connections

    def document(self) -> dict[str, object]:
        """The row for the log."""
        tally, vitals = self.tally, self.vitals
        return {
            "minute": round(self.minute, 2),
            "sent": tally.sent,
            "missed": tally.missed,
            "requests_per_second": round(tally.sent / tally.took, 1),
            "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
            "hung_up": tally.hung_up,
            "good": len(tally.good_seconds),
            "good_failed": dict(tally.failed),
            "bad_wrong": dict(tally.wrong),
            "good_ms": [percentile(tally.good_seconds, share) for share in (50, 99)],
            "refused_ms": [percentile(tally.refused_seconds, share) for share in (50, 99)],
            "faults": tally.faults,
            "private_mb": round(vitals.private_mb, 1),
            "resident_mb": round(vitals.resident_mb, 1),
            "descriptors": self.descriptors,
            "threads": vitals.threads,
            "processes": sorted(vitals.processes),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """All rows of a run, those before ``settled`` minutes included; ``saturation`` and ``rate`` are in requests a second."""

    rows: Sequence[Row]
    settled: float
    saturation: float
    rate: float
    most_growth: float = MOST_GROWTH

    @property
    def stands(self) -> bool:
        """Whether all is kept that was promised."""
        return all(promise.kept for promise in self.promises())

    def promises(self) -> list[Promise]:
        """What is promised, and what was measured."""
        statuses = sum((row.tally.statuses for row in self.rows), Counter[int]())
        failed = sum((row.tally.failed for row in self.rows), Counter[str]())
        good = sum(len(row.tally.good_seconds) for row in self.rows)
        wrong = sum((row.tally.wrong for row in self.rows), Counter[str]())
        failed_by_us = failures(statuses)
        lost = {pid for before, row in zip(self.rows, self.rows[1:], strict=False) for pid in gone(before, row)}
        settled = [row for row in self.rows if row.minute > self.settled]
        memory = _change([row.vitals.private_mb for row in settled])
        descriptors = _change([float(row.descriptors) for row in settled])
        threads = _change([float(row.vitals.threads) for row in settled])
        growth = (memory[1] - memory[0]) / memory[0]
        return [
            Promise("good requests that failed", "0", f"{failed.total():,} of {good:,}", good > 0 and not failed),
            Promise("5xx other than 503", "0", f"{failed_by_us:,} of {statuses.total():,}", not failed_by_us),
            Promise("bad requests not refused as the table of the API says", "0", f"{wrong.total():,}", not wrong),
            Promise("processes lost", "0", f"{len(lost)}", not lost),
            Promise(
                f"memory after the first {self.settled:.2g} minutes",
                f"grows by less than {self.most_growth:.0%}",
                f"{growth:+.1%}: {memory[0]:.0f} to {memory[1]:.0f} MB",
                growth < self.most_growth,
            ),
            Promise(
                "descriptors after that", "flat", f"{_arrow(descriptors)}", descriptors[1] - descriptors[0] <= MOST_DESCRIPTORS
            ),
            Promise("threads after that", "flat", f"{_arrow(threads)}", threads[1] - threads[0] <= MOST_THREADS),
        ]

    def pace(self) -> str:
        """What was asked and whether the generator kept the pace, in one line."""
        sent, missed = (sum(getattr(row.tally, name) for row in self.rows) for name in ("sent", "missed"))
        told = f"{self.saturation:.0f} requests/s at saturation, {self.rate:.0f} offered, {sent:,} sent"
        return f"{told}; the generator did not keep the pace: {missed:,} more were due" if missed else f"{told}, all in time"

    def markdown(self) -> str:
        """The verdict and every fifth row or so as tables."""
        lines = [self.pace() + ".", "", "| what | promised | measured | kept |", "| --- | --- | --- | --- |"]
        lines += [f"| {p.what} | {p.wanted} | {p.measured} | {'yes' if p.kept else '**no**'} |" for p in self.promises()]
        lines += ["", "| minute | requests/s | good: p50, p99 ms | refused: p50, p99 ms | memory MB | descriptors | threads |"]
        lines += ["| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
        lines += [_line(row) for number, row in enumerate(self.rows, 1) if number == 1 or number % WINDOW == 0]
        return "\n".join(lines)


def gone(before: Row, after: Row) -> frozenset[int]:
    """Processes that ended between two rows."""
    return before.vitals.processes - after.vitals.processes


def percentile(seconds: list[float], share: int) -> float:
    """Milliseconds that a share of requests took at most; 0 where there are none."""
    return round(float(np.percentile(seconds, share)) * 1000, 1) if seconds else 0.0


def _change(figures: list[float]) -> tuple[float, float]:
    """The median at the beginning and at the end."""
    return median(figures[:WINDOW]), median(figures[-WINDOW:])


def _arrow(change: tuple[float, float]) -> str:
    return f"{change[0]:.0f} to {change[1]:.0f}"


def _line(row: Row) -> str:
    tally = row.tally
    good, refused = ([percentile(s, share) for share in (50, 99)] for s in (tally.good_seconds, tally.refused_seconds))
    figures = (
        f"{row.minute:.1f}",
        f"{tally.sent / tally.took:.0f}",
        f"{good[0]:.1f}, {good[1]:.1f}",
        f"{refused[0]:.1f}, {refused[1]:.1f}",
        f"{row.vitals.private_mb:.0f}",
        str(row.descriptors),
        str(row.vitals.threads),
    )
    return "| " + " | ".join(figures) + " |"
