"""Runs of a report by the rate they asked for, and figures of one run that charts, page and comparison share."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from math import isclose
from typing import Final

from loadtests.generator.results import Outcomes
from loadtests.peak.results import LoadReport, Run

# Parts of the requests that were due, in the order in which they are shown, with what each is.
PARTS: Final = {
    "in time": "answered correctly within the objective",
    "late": "answered correctly, but later",
    "refused": "refused with 429 or 503 and when to try again",
    "wrong": "answered with a wrong label or in a wrong form",
    "error": "another status, or no response",
    "dropped": "not sent, because too many were unanswered",
}
# Rates that differ by less are one rate: they are written with six digits on a command line.
SAME_RATE: Final = 1e-4


def rate_runs(report: LoadReport) -> list[Run]:
    """The runs with a constant rate of arrivals, in the order of the rates."""
    found = [run for run in report.runs if run.purpose != "scenario" and run.result.rate is not None]
    return sorted(found, key=asked_rate)


def asked_rate(run: Run) -> float:
    """Requests a second that a run asked for, 0 in a closed loop."""
    return run.result.rate or 0.0


def by_rate(runs: Iterable[Run]) -> dict[float, list[Run]]:
    """The runs that are not void by their asked rate, lowest first."""
    found: dict[float, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=asked_rate):
        if not run.result.void:
            found[asked_rate(run)].append(run)
    return dict(found)


def parts(outcomes: Outcomes) -> dict[str, int]:
    """The requests that were due, divided into ``PARTS``."""
    late = outcomes.correct - outcomes.in_time
    return dict(
        zip(PARTS, (outcomes.in_time, late, outcomes.refused, outcomes.wrong, outcomes.error, outcomes.dropped), strict=True)
    )


def share(count: int, outcomes: Outcomes) -> float:
    """A count as a share of the requests that were due, 0 to 1."""
    return count / outcomes.due if outcomes.due else 0.0


def service_cores(run: Run) -> float | None:
    """CPU cores that the service used, on average over the samples; None if it was not measured."""
    samples = [one.cpu_cores for one in run.service.resources if one.cpu_cores is not None]
    return statistics.fmean(samples) if samples else None


def service_memory(run: Run) -> float | None:
    """The most memory of the service in MB; None if it was not measured."""
    return max((one.memory_mb for one in run.service.resources if one.memory_mb is not None), default=None)


def queued(run: Run) -> float | None:
    """Images that waited for a model, on average over the samples; None if it was not measured."""
    samples = [one.queue_depth for one in run.service.resources if one.queue_depth is not None]
    return statistics.fmean(samples) if samples else None


def in_flight(run: Run) -> float | None:
    """Images that were accepted and not answered, on average over the samples; None if it was not measured."""
    samples = [one.in_flight for one in run.service.resources if one.in_flight is not None]
    return statistics.fmean(samples) if samples else None


def cpu_ms(run: Run) -> float | None:
    """CPU time of the service for each correct response in ms; None if it was not measured."""
    cores = service_cores(run)
    return None if cores is None or not run.result.outcomes.correct else cores / run.result.throughput * 1000


def mean_of(runs: Iterable[Run], measure: Callable[[Run], float | None]) -> float | None:
    """The mean of a measure over the runs that have it; None if none has."""
    found = [value for run in runs if (value := measure(run)) is not None]
    return statistics.fmean(found) if found else None


def peak_runs(report: LoadReport) -> list[Run]:
    """The runs at the peak that are not void: its confirmations, or else any others; empty if there is no peak."""
    if report.peak is None or report.peak.rate is None:
        return []
    rate = report.peak.rate
    at_peak = [run for run in rate_runs(report) if isclose(asked_rate(run), rate, rel_tol=SAME_RATE) and not run.result.void]
    return [run for run in at_peak if run.purpose == "confirmation"] or at_peak
