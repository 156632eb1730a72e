"""Performance targets of the service, evaluated on the medians of one run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loadtests.benchmark.results import Record, Results
from loadtests.benchmark.scenarios import BATCH
from loadtests.benchmark.stages import MEMORY, START

PROBABILITY_TOLERANCE: Final = 1e-5

Figure = Callable[[Results], float | None]
"""A figure of the results, None if it was not measured."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure; ``aim`` is what is hoped for beyond it."""

    name: str
    figure: Figure
    bound: float
    at_least: bool = False
    aim: float | None = None

    @property
    def wanted(self) -> str:
        """The bound and the aim as text."""
        text = f"{'at least' if self.at_least else 'at most'} {self.bound:g}"
        return text if self.aim is None else f"{text}, aim {self.aim:g}"


class TargetResult(Record):
    """A target, what was measured, and whether the target is reached; both None if it was not measured."""

    target: str
    wanted: str
    measured: float | None
    reached: bool | None


def ratio(field: str, scenario: str, server: str, other: str) -> Figure:
    """The ratio of two servers."""
    return lambda results: results.ratio(field, scenario, server, other)


def endurance_errors(server: str) -> Figure:
    """Errors of the long run."""
    return lambda results: next((float(one.errors) for one in results.endurance if one.server == server), None)


def wrong_responses(server: str) -> Figure:
    """Requests without a correct response under mixed load."""
    return lambda results: next(
        (float(one.failures + one.wrong_labels) for one in results.exactness if one.server == server), None
    )


def difference(server: str) -> Figure:
    """The largest difference of a probability under mixed load."""
    return lambda results: next((one.largest_difference for one in results.exactness if one.server == server), None)


def stage(name: str) -> Figure:
    """A figure of the service without load."""
    return lambda results: next((one.value for one in results.stages if one.name == name), None)


def batch_share(results: Results) -> float | None:
    """Images/s of the batch route divided by those without HTTP at the best batch size."""
    batch = results.medians().get(("batch@4", "embedded"))
    limits = [limit for size in {one.batch for one in results.limits} if (limit := results.limit("small", size))]
    return batch.rate * BATCH / max(limits) if batch and limits else None


def neighbour_ratio(results: Results) -> float | None:
    """p50 of a connection beside load on the slow model divided by that beside load on its own model, embedded."""
    slow, same = (results.neighbour("embedded", load_on) for load_on in ("slow", "digits"))
    return slow.p50_ms / same.p50_ms if slow and same else None


def to_fastapi(name: str, field: str, scenario: str, bound: float, at_least: bool = False, aim: float | None = None) -> Target:
    """A bound on the ratio of this service, embedded, to FastAPI."""
    return Target(
        f"{name}, embedded to FastAPI, {scenario}", ratio(field, scenario, "embedded", "fastapi"), bound, at_least, aim
    )


def to_bentoml(server: str, scenario: str, bound: float) -> Target:
    """A bound on the ratio of requests/s of this service to BentoML as documented."""
    name = f"requests/s, {server} to BentoML as documented, {scenario}"
    return Target(name, ratio("rate", scenario, server, "bentoml"), bound, at_least=True)


TARGETS: Final = (
    *(to_fastapi("requests/s", "rate", scenario, 1.0, True, 1.2) for scenario in ("canvas@32", "small@32")),
    *(to_fastapi("p50", "p50_ms", scenario, 1.1) for scenario in ("canvas@1", "small@1")),
    *(to_fastapi("p99", "p99_ms", scenario, 1.5) for scenario in ("canvas@32", "small@32")),
    to_bentoml("embedded", "canvas@32", 4.0),
    to_bentoml("runner", "canvas@64", 1.8),
    Target("images/s of /classify/batch to the limit without HTTP, small", batch_share, 0.5, True),
    Target("p50 on digits, beside load on a slow model to beside load on digits", neighbour_ratio, 1.0),
    Target("s from the start to the first right answer, all models", stage(START), 10.0),
    Target("MB of the largest process, all models", stage(MEMORY), 600.0),
    Target("errors of the long run, embedded, canvas@32", endurance_errors("embedded"), 0),
    Target("errors of the long run, runner, canvas@64", endurance_errors("runner"), 0),
    Target("wrong or failed answers under mixed load, embedded", wrong_responses("embedded"), 0),
    Target("largest difference of a probability, embedded", difference("embedded"), PROBABILITY_TOLERANCE),
    Target("wrong or failed answers under mixed load, runner", wrong_responses("runner"), 0),
    Target("largest difference of a probability, runner", difference("runner"), PROBABILITY_TOLERANCE),
)


def evaluate(results: Results, targets: tuple[Target, ...] = TARGETS) -> list[TargetResult]:
    """Evaluate every target."""
    found = []
    for target in targets:
        measured = target.figure(results)
        reached = None if measured is None else measured >= target.bound if target.at_least else measured <= target.bound
        found.append(TargetResult(target=target.name, wanted=target.wanted, measured=measured, reached=reached))
    return found
