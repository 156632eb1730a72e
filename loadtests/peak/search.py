"""Finds the highest arrival rate at which a service meets its objectives, confirms it, and measures rates around it.

1. Clients in a closed loop estimate what the service can do.
2. From a little below, the rate rises or falls until it lies between one that met the objectives and one that missed them,
   then halves that interval geometrically down to ``PRECISION``. A rate meets them here when its share of late requests would
   pass in a confirmation. The rate at the upper end must miss twice: one disturbance of the machine does not end a search.
3. Three longer runs confirm the lower end with MLPerf's early-stopping bound. When one does not, the rate falls by
   ``FIRST_STEP_DOWN`` and the confirmation begins again, at most ``MAX_STEPS`` times, each step twice as long as the last: on
   a machine whose speed varies, a rate can hold for a few seconds that is far above the one that holds for a minute.
4. Runs at fixed shares of the peak show what happens below and beyond it.

A run in which the generator was late says nothing about the service, unless it is plain that the service missed
(``objectives.conclude``). It is repeated once. When that says nothing either, the rate is taken as too high, and the report
says that the generator was the limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Final

from loadtests.peak.early_stopping import is_shown, needed_requests
from loadtests.peak.objectives import Conclusion, conclude
from loadtests.peak.results import CONTRADICTION, MAX_SPREAD, Objectives, Peak, Run
from loadtests.peak.runner import RunPlan

PRECISION: Final = 0.04
FIRST_STEP_DOWN: Final = 0.04
MAX_STEPS: Final = 4
CONFIRMATIONS: Final = 3
# The share of the throughput in a closed loop at which the search begins, and the factor of its first step.
FIRST_SHARE: Final = 0.8
FACTOR: Final = 1.25
# The exponent of the factor doubles with each step in the same direction; upwards only so often.
MAX_DOUBLINGS: Final = 2
# The search ends without a peak below this share of its first rate, or after so many runs.
LOWEST_SHARE: Final = 1 / 30
MAX_RUNS: Final = 16
# Seconds of the estimate, and of a run of the search or the curve, as shares of those of a confirmation.
SHORT_SHARE: Final = 0.4
# Shares of the peak at which the curve is measured.
CURVE: Final = (0.25, 0.5, 0.75, 1.1, 1.3)
# A confirmation lasts longer where the rate is low, so that twice the requests are due that the bound needs at least.
REQUESTS_FACTOR: Final = 2
MAX_LENGTHENING: Final = 4

Measure = Callable[[RunPlan], Run]


@dataclass(frozen=True, slots=True)
class SearchStep:
    """A rate in requests a second, and whether the objectives were met."""

    rate: float
    met: bool


def next_rate(steps: Sequence[SearchStep], first: float) -> float | None:
    """The rate to try next, or None when the search has ended; see the top of this module."""
    met = [step.rate for step in steps if step.met]
    low = max(met, default=None)
    too_high = [step.rate for step in steps if not step.met and (low is None or step.rate > low)]
    high = min(too_high, default=None)
    if low is None and high is None:
        return first
    if low is None:
        lower = first / float(FACTOR ** (2 ** len(set(too_high)) - 1))
        return lower if lower >= LOWEST_SHARE * first else None
    if high is None:
        return low * float(FACTOR ** (2 ** min(len(met) - 1, MAX_DOUBLINGS)))
    if high / low > 1 + PRECISION:
        return float((low * high) ** 0.5)
    return high if too_high.count(high) < 2 else None


def best_rate(steps: Sequence[SearchStep]) -> float | None:
    """The highest rate that met the objectives; None if none did."""
    return max((step.rate for step in steps if step.met), default=None)


def contradict(steps: Sequence[SearchStep]) -> bool:
    """Whether a rate missed the objectives well below one that met them."""
    best = best_rate(steps)
    return best is not None and any(not step.met and step.rate < CONTRADICTION * best for step in steps)


def spread(goodputs: Sequence[float]) -> float:
    """The largest difference between some goodputs, as a share of their mean."""
    return (max(goodputs) - min(goodputs)) / mean(goodputs) if any(goodputs) else 0.0


def confirmation_seconds(rate: float, seconds: float, in_time_share: float) -> float:
    """How long a confirmation lasts, so that enough requests are due for the early-stopping bound."""
    needed = REQUESTS_FACTOR * needed_requests(0, in_time_share) / rate
    return min(max(seconds, needed), MAX_LENGTHENING * seconds)


def run_until_known(measure: Measure, plan: RunPlan, objectives: Objectives) -> list[Run]:
    """Make a run, and once more if it says nothing.

    Raises:
        RunError: a run has no result.
    """
    run = measure(plan)
    return [run, measure(plan)] if conclude(run.result, objectives) is Conclusion.UNKNOWN else [run]


class PeakSearch:
    """One search. ``measure`` makes a run; ``seconds`` is how long a confirmation lasts. ``runs`` are all runs so far."""

    def __init__(self, measure: Measure, objectives: Objectives, seconds: float) -> None:
        self._measure, self._objectives, self._seconds = measure, objectives, seconds
        self.runs: list[Run] = []
        self._steps: list[SearchStep] = []
        self._remarks: list[str] = []

    def find(self) -> Peak:
        """Find the peak, confirm it and measure the curve.

        Raises:
            RunError: a run has no result.
        """
        self._conclude(RunPlan("estimate", "multi-stream", self._short))
        estimate = self.runs[-1]
        if not estimate.result.throughput:
            faults = ", ".join(list(estimate.result.faults)[:3]) or "nothing was answered"
            return self._no_peak(f"No response was correct in a closed loop: {faults}.")
        rate = self._search(FIRST_SHARE * estimate.result.throughput)
        if rate is None:
            return self._no_peak("No rate met the objectives.")
        peak = self._confirm(rate)
        for share in CURVE:
            self._conclude(RunPlan("curve", "server", self._short, share * (peak.rate or rate)))
        return peak

    @property
    def _short(self) -> float:
        return SHORT_SHARE * self._seconds

    def _search(self, first: float) -> float | None:
        while len(self._steps) < MAX_RUNS and (rate := next_rate(self._steps, first)) is not None:
            met = self._conclude(RunPlan("search", "server", self._short, rate)) is Conclusion.MET
            self._steps.append(SearchStep(rate, met and self._would_confirm(self.runs[-1], rate)))
        return best_rate(self._steps)

    def _would_confirm(self, run: Run, rate: float) -> bool:
        """Whether the share of late requests of a run would pass the bound in a confirmation, which has more requests."""
        share, outcomes = self._objectives.in_time_share, run.result.outcomes
        requests = round(rate * confirmation_seconds(rate, self._seconds, share))
        late = round(requests * (outcomes.due - outcomes.in_time) / outcomes.due)
        return requests < needed_requests(0, share) or is_shown(requests, late, share)

    def _confirm(self, rate: float) -> Peak:
        """Confirm a rate, or a lower one."""
        first = rate
        needed = needed_requests(0, self._objectives.in_time_share)
        for step in range(MAX_STEPS + 1):
            goodputs, confirmed = self._confirmations(rate)
            due = self.runs[-1].result.outcomes.due
            if confirmed or due < needed or step == MAX_STEPS:
                break
            rate *= 1 - FIRST_STEP_DOWN * 2**step
        if due < needed:
            self._remark(f"A confirmation had {due} requests, and needs {needed}: set a longer duration.")
        elif not confirmed:
            self._remark(f"{rate:,.0f} requests/s were not confirmed either, and no lower rate was tried.")
        elif step:
            self._remark(f"The rate had to be lowered by {1 - rate / first:.0%} until it was confirmed.")
        found = spread(goodputs)
        noisy = found > MAX_SPREAD or contradict(self._steps) or (not confirmed and due >= needed)
        if noisy:
            self._remark("Runs contradict each other: the machine was busy with something else, or too noisy.")
        return Peak(rate=rate, confirmed=confirmed, spread=found, noisy=noisy, remarks=self._remarks)

    def _confirmations(self, rate: float) -> tuple[list[float], bool]:
        """The goodputs of confirmations at a rate up to the first that failed, and whether none did."""
        seconds, goodputs = confirmation_seconds(rate, self._seconds, self._objectives.in_time_share), []
        for _ in range(CONFIRMATIONS):
            self._conclude(RunPlan("confirmation", "server", seconds, rate))
            run = self.runs[-1]
            goodputs.append(run.result.goodput)
            self._steps.append(SearchStep(rate, run.met))
            if not run.met:
                return goodputs, False
        return goodputs, True

    def _no_peak(self, remark: str) -> Peak:
        return Peak(rate=None, confirmed=False, spread=0.0, noisy=False, remarks=[remark, *self._remarks])

    def _conclude(self, plan: RunPlan) -> Conclusion:
        """Make a run, once more if it says nothing, and say what it says."""
        runs = run_until_known(self._measure, plan, self._objectives)
        self.runs += runs
        found = conclude(runs[-1].result, self._objectives)
        if found is Conclusion.UNKNOWN and plan.rate is not None:
            reason = "; ".join(runs[-1].result.generator.void)
            self._remark(f"At {plan.rate:,.0f} requests/s the generator was the limit, not the service: {reason}.")
        return found

    def _remark(self, remark: str) -> None:
        if remark not in self._remarks:
            self._remarks.append(remark)
