"""The report of a soak test: a row for every interval, and checks on faults, processes and leaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from statistics import median
from typing import Final

from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import Recorder, milliseconds
from loadtests.report import NONE, Bound, Check, Report, check_table, table
from loadtests.resources import ProcessStats

# Rows of which the median is taken at the start and at the end: one sample may fall on a large image.
WINDOW: Final = 5
MAX_GROWTH: Final = 0.05
# The gallery opens up to four database connections in each of two workers when several requests come at once, with three files
# each; a leak per request is soon more.
MAX_DESCRIPTORS: Final = 24
MAX_THREADS: Final = 16
COLUMNS: Final = ("minute", "requests_per_second", "good_ms", "refused_ms", "private_mb", "descriptors", "threads")


@dataclass(frozen=True, slots=True)
class Row:
    """An interval that ended ``minute`` minutes after the start; ``connections`` of the client were open at its end."""

    minute: float
    recorder: Recorder
    processes: ProcessStats
    connections: int

    @property
    def descriptors(self) -> int:
        """File descriptors of the service other than the client's connections."""
        return self.processes.descriptors - self.connections

    def latencies(self, kind: str) -> list[float]:
        """The median and the 99th percentile of the correct responses to a kind of requests, in ms."""
        return [round(one, 1) for one in milliseconds(self.recorder.kinds[kind].latencies, 50, 99)]

    def document(self) -> dict[str, object]:
        """The row for the log."""
        recorder, processes = self.recorder, self.processes
        return {
            "minute": round(self.minute, 2),
            "sent": recorder.total.sent,
            **{name: group.outcomes for name, group in sorted(recorder.kinds.items())},
            **{name: getattr(recorder, name) for name in ("statuses", "faults", "examples")},
            "requests_per_second": round(recorder.rate, 1),
            "good_ms": self.latencies("good"),
            "refused_ms": self.latencies("refused"),
            **{name: round(getattr(processes, name), 1) for name in ("private_mb", "resident_mb", "threads")},
            "descriptors": self.descriptors,
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
        recorders = [row.recorder for row in self.rows]
        good, *bad = ([one.kinds[kind] for one in recorders] for kind in ("good", "accepted", "refused"))
        pids = [row.processes.pids for row in self.rows]
        lost = frozenset[int]().union(*(before - after for before, after in pairwise(pids)))
        memory = self._medians(lambda row: row.processes.private_mb)
        settled = "since the warm-up"
        return [
            Check("good requests", Bound(1, "{:,}", at_least=True), sum(one.sent for one in good)),
            Check("good requests that failed", NONE, sum(one.faulty for one in good)),
            Check("5xx other than 503", NONE, sum(one.server_errors for one in recorders)),
            Check("bad requests not refused as the API contract says", NONE, sum(one.faulty for one in chain(*bad))),
            Check("processes lost", NONE, len(lost)),
            Check(f"memory {settled}", Bound(self.max_growth, "{:+.1%}"), memory[1] / memory[0] - 1),
            Check(f"descriptors {settled}", Bound(MAX_DESCRIPTORS, "{:+.0f}"), self._growth(lambda row: row.descriptors)),
            Check(f"threads {settled}", Bound(MAX_THREADS, "{:+.0f}"), self._growth(lambda row: row.processes.threads)),
        ]

    def text(self) -> str:
        """The load, the checks, and every fifth row."""
        totals = [row.recorder.total for row in self.rows]
        sent, dropped = sum(one.sent for one in totals), sum(one.count(Outcome.DROPPED) for one in totals)
        kept_up = f"the client dropped {dropped:,} requests that were due" if dropped else "none dropped"
        shown = [row.document() for number, row in enumerate(self.rows, 1) if number == 1 or number % WINDOW == 0]
        rows = table(COLUMNS, ([str(row[name]) for name in COLUMNS] for row in shown))
        load = f"{self.peak:.0f} requests/s at the peak, {self.rate:.0f} offered, {sent:,} sent; {kept_up}."
        return f"{load} Growth counts after {self.warm_up:.2g} minutes.\n\n{check_table(self.checks())}\n\n{rows}"

    def _medians(self, value: Callable[[Row], float]) -> tuple[float, float]:
        """The medians of a value after the warm-up and at the end."""
        values = [value(row) for row in self.rows if row.minute > self.warm_up]
        return median(values[:WINDOW]), median(values[-WINDOW:])

    def _growth(self, value: Callable[[Row], float]) -> float:
        before, after = self._medians(value)
        return after - before
