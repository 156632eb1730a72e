"""Figures of a report with the bounds between which they lie but for noise: from repeated runs, and from how many requests."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isclose, log, sqrt
from typing import Final

from hdrh.histogram import HdrHistogram

from loadtests.generator.recorder import histogram
from loadtests.peak.curve import asked_rate, by_rate, cpu_ms, peak_runs, rate_runs
from loadtests.peak.results import LoadReport, Run

# Standard deviations of a normal distribution on both sides of 99 % of it.
Z: Final = 2.576
# Relative noise that is assumed at least, and of a figure that was measured once.
LEAST_NOISE: Final = 0.03
SINGLE_NOISE: Final = 0.1
# Rates that differ by less are compared as one.
CLOSE: Final = 0.02
HIGHEST_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure above 0, and between which bounds it lies but for noise.

    ``between`` is whether it was interpolated between two rates that were measured.
    """

    value: float
    low: float
    high: float
    between: bool = False

    def widen(self, factor: float) -> "Estimate":
        """The same figure with bounds that are at least a factor away from it."""
        return Estimate(self.value, min(self.low, self.value / factor), max(self.high, self.value * factor), self.between)

    def differs(self, other: "Estimate") -> bool:
        """Whether the intervals do not overlap."""
        return self.high < other.low or other.high < self.low


def peak_estimate(report: LoadReport) -> Estimate | None:
    """The peak, which lies up to the lowest rate that missed the objectives, with the spread of its confirmations."""
    if report.peak is None or report.peak.rate is None:
        return None
    rate = report.peak.rate
    missed_at = [asked_rate(run) for run in rate_runs(report) if not run.met and not run.result.void and asked_rate(run) > rate]
    return Estimate(rate, rate, min(missed_at, default=rate)).widen(1 + max(report.peak.spread, LEAST_NOISE))


def repeated(runs: Sequence[Run], measure: Callable[[Run], float | None]) -> Estimate | None:
    """The mean of a measure over runs that repeat each other, between the least and the most of them; None without any."""
    values = [value for run in runs if (value := measure(run))]
    if not values:
        return None
    noise = LEAST_NOISE if len(values) > 1 else SINGLE_NOISE
    return Estimate(sum(values) / len(values), min(values), max(values)).widen(1 + noise)


def cpu_estimate(report: LoadReport) -> Estimate | None:
    """CPU time of the service for a correct response at the peak, or of a single scenario, in ms."""
    runs = peak_runs(report) or [run for run in report.runs if run.purpose == "scenario" and not run.result.void]
    return repeated(runs, cpu_ms)


def percentile(runs: Sequence[Run], percent: float) -> Estimate | None:
    """A percentile of the latencies of all runs together in ms, with 99 % confidence of its rank; None without latencies."""
    latencies = merged(runs)
    count = latencies.get_total_count()
    if not count:
        return None
    margin = Z * sqrt(percent * (HIGHEST_PERCENT - percent) / count)
    value, low, high = (
        latencies.get_value_at_percentile(min(HIGHEST_PERCENT, max(0.0, one))) / 1000
        for one in (percent, percent - margin, percent + margin)
    )
    return Estimate(value, low, high)


def merged(runs: Sequence[Run]) -> HdrHistogram:
    """The latencies of several runs, in microseconds."""
    found = histogram()
    for run in runs:
        found.decode_and_add(run.result.histogram)
    return found


def repeat_factor(report: LoadReport, percent: float) -> float:
    """By which factor a percentile differs at most between confirmations of the peak, at least ``1 + LEAST_NOISE``."""
    values = [one.value for run in peak_runs(report) if (one := percentile([run], percent)) is not None]
    return max(1 + LEAST_NOISE, max(values) / min(values)) if len(values) > 1 else 1 + SINGLE_NOISE


class Curve:
    """Percentiles of a report at any rate between those that were measured."""

    def __init__(self, report: LoadReport) -> None:
        self._report = report
        self._groups = by_rate(run for run in rate_runs(report) if run.result.latency_ms.count)

    @property
    def rates(self) -> list[float]:
        """The rates that were measured, lowest first."""
        return list(self._groups)

    def percentile(self, percent: float, rate: float) -> Estimate | None:
        """A percentile at a rate in ms, interpolated where it was not measured; None outside the measured rates."""
        factor = repeat_factor(self._report, percent)
        close = [runs for measured, runs in self._groups.items() if isclose(measured, rate, rel_tol=CLOSE)]
        if close:
            found = percentile([run for runs in close for run in runs], percent)
            return found.widen(factor) if found else None
        place = bisect_left(self.rates, rate)
        if not 0 < place < len(self.rates):
            return None
        below, above = self.rates[place - 1 : place + 1]
        first, second = percentile(self._groups[below], percent), percentile(self._groups[above], percent)
        if first is None or second is None:
            return None
        weight = (rate - below) / (above - below)
        value, low, high = (
            exp((1 - weight) * log(getattr(first, name)) + weight * log(getattr(second, name)))
            for name in ("value", "low", "high")
        )
        return Estimate(value, low, high, between=True).widen(factor)
