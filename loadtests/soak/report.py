"""The report of a soak test: a row for every interval, and checks on faults, processes and leaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from loadtests.load import Stats, merge
from loadtests.processes import ProcessStats
from loadtests.report import Check, Report, table

# Rows of which the median is taken at the start and at the end: one sample may fall on a large image.
WINDOW: Final = 5
MAX_GROWTH: Final = 0.05
# The gallery opens up to four database connections in each of two workers when several requests come at once, with three files
# each; a leak per request is soon more.
MAX_DESCRIPTORS: Final = 24
MAX_THREADS: Final = 16
LOGGED_FAULTS: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An interval that ended ``minute`` minutes after the start; ``connections`` of the client were open at its end."""

    minute: float
    stats: Stats
    processes: ProcessStats
    connections: int

    @property
    def descriptors(self) -> int:
        """File descriptors of the service other than the client's connections."""
        return self.processes.descriptors - self.connections

    def latencies(self, good: bool, success: bool | None) -> list[float]:
        """The median and the 99th percentile in ms."""
        return [round(self.stats.milliseconds(percent, good, success), 1) for percent in (50, 99)]

    def document(self) -> dict[str, object]:
        """The row for the log."""
        stats, processes = self.stats, self.processes
        return {
            "minute": round(self.minute, 2),
            **{name: getattr(stats, name) for name in ("sent", "dropped", "hung_up", "statuses", "good_faults", "bad_faults")},
            "requests_per_second": round(stats.rate, 1),
            "good": len(stats.seconds(good=True)),
            "good_ms": self.latencies(True, None),
            "refused_ms": self.latencies(False, False),
            "faults": [f"{request.name}: {fault}" for request, fault in stats.examples[:LOGGED_FAULTS]],
            "private_mb": round(processes.private_mb, 1),
            "resident_mb": round(processes.resident_mb, 1),
            "descriptors": self.descriptors,
            "threads": processes.threads,
            "processes": sorted(processes.pids),
        }


@dataclass(frozen=True, slots=True)
class SoakReport(Report):
    """All rows, those of the first ``warm_up`` minutes included; ``peak`` and ``rate`` are in requests a second."""

    rows: Sequence[Row]
    warm_up: float
    peak: float
    rate: float
    max_growth: float = MAX_GROWTH

    def checks(self) -> list[Check]:
        """What a service must keep up for a long time."""
        whole = merge(row.stats for row in self.rows)
        good, failed, wrong = len(whole.seconds(good=True)), whole.good_faults.total(), whole.bad_faults.total()
        pairs = zip(self.rows, self.rows[1:], strict=False)
        lost = frozenset[int]().union(*(before.processes.pids - after.processes.pids for before, after in pairs))
        errors = f"{whole.server_errors:,} of {whole.statuses.total():,}"
        memory, descriptors = self._change(lambda row: row.processes.private_mb), self._change(lambda row: row.descriptors)
        threads = self._change(lambda row: row.processes.threads)
        growth = (memory[1] - memory[0]) / memory[0]
        change = f"{growth:+.1%}: {memory[0]:.0f} to {memory[1]:.0f} MB"
        return [
            Check("good requests that failed", "0", f"{failed:,} of {good:,}", good > 0 and not failed),
            Check("5xx other than 503", "0", errors, not whole.server_errors),
            Check("bad requests not refused as the API contract says", "0", f"{wrong:,}", not wrong),
            Check("processes lost", "0", f"{len(lost)}", not lost),
            Check(
                f"memory after {self.warm_up:.2g} minutes", f"under +{self.max_growth:.0%}", change, growth < self.max_growth
            ),
            _limit("descriptors after that", descriptors, MAX_DESCRIPTORS),
            _limit("threads after that", threads, MAX_THREADS),
        ]

    def text(self) -> str:
        """The load, the checks, and every fifth row."""
        sent, dropped = (sum(getattr(row.stats, name) for row in self.rows) for name in ("sent", "dropped"))
        kept_up = f"the client dropped {dropped:,} requests that were due" if dropped else "none dropped"
        heads = ("minute", "requests/s", "good: p50, p99 ms", "refused: p50, p99 ms", "memory MB", "descriptors", "threads")
        rows = table(heads, (_cells(row) for number, row in enumerate(self.rows, 1) if number == 1 or number % WINDOW == 0))
        load = f"{self.peak:.0f} requests/s at the peak, {self.rate:.0f} offered, {sent:,} sent; {kept_up}."
        return f"{load}\n\n{self.check_table()}\n\n{rows}\n"

    def _change(self, value: Callable[[Row], float]) -> tuple[float, float]:
        """The medians of a value after the warm-up and at the end."""
        values = [value(row) for row in self.rows if row.minute > self.warm_up]
        return median(values[:WINDOW]), median(values[-WINDOW:])


def _limit(name: str, change: tuple[float, float], limit: int) -> Check:
    return Check(name, f"at most +{limit}", f"{change[0]:.0f} to {change[1]:.0f}", change[1] - change[0] <= limit)


def _cells(row: Row) -> list[str]:
    latencies = (row.latencies(True, None), row.latencies(False, False))
    figures = (row.processes.private_mb, row.descriptors, row.processes.threads)
    pairs = (f"{p50:.1f}, {p99:.1f}" for p50, p99 in latencies)
    return [f"{row.minute:.1f}", f"{row.stats.rate:.0f}", *pairs, *(f"{figure:.0f}" for figure in figures)]
