"""What the service is to reach, each target judged on the medians of one run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loadtests.bench.results import Median, Model, Results
from loadtests.bench.scenarios import BATCH
from loadtests.bench.stages import MEMORY, START

PROBABILITY_TOLERANCE: Final = 1e-5

Value = Callable[[Median], float]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure of the results; ``measure`` gives None where it was not measured."""

    text: str
    measure: Callable[[Results], float | None]
    bound: float
    at_least: bool = True
    aim: float | None = None

    @property
    def wanted(self) -> str:
        """The bound in words, and what is hoped for beyond it."""
        words = f"{'at least' if self.at_least else 'at most'} {self.bound:g}"
        return words if self.aim is None else f"{words}, aim {self.aim:g}"


class Verdict(Model):
    """A target, what was measured, and whether that is enough; both None where it was not measured."""

    target: str
    wanted: str
    measured: float | None
    reached: bool | None


def ratio(results: Results, scenario: str, contestant: str, other: str, value: Value) -> float | None:
    """A figure of one contestant over that of another."""
    medians = results.medians()
    one, base = medians.get((scenario, contestant)), medians.get((scenario, other))
    if one is None or base is None or not value(base):
        return None
    return value(one) / value(base)


def ratio_of(scenario: str, contestant: str, other: str, value: Value) -> Callable[[Results], float | None]:
    """The measure of a target: a ratio of two contestants."""
    return lambda results: ratio(results, scenario, contestant, other, value)


def endurance_errors(contestant: str) -> Callable[[Results], float | None]:
    """The measure of a target: errors of the long run."""
    return lambda results: next(
        (float(figures.errors) for figures in results.endurance if figures.contestant == contestant), None
    )


def batch_share(results: Results) -> float | None:
    """Images/s of the batch route over those without HTTP, at the batch size that is best without."""
    batch = results.medians().get(("batch@4", "embedded"))
    limits = [limit for size in {cell.batch for cell in results.limits} if (limit := results.limit("small", size))]
    return batch.rate * BATCH / max(limits) if batch and limits else None


def faults(contestant: str) -> Callable[[Results], float | None]:
    """The measure of a target: requests without a right answer under mixed load."""
    return lambda results: next(
        (float(run.failures + run.wrong_labels) for run in results.exactness if run.contestant == contestant), None
    )


def difference(contestant: str) -> Callable[[Results], float | None]:
    """The measure of a target: the largest difference of a probability under mixed load."""
    return lambda results: next((run.largest_difference for run in results.exactness if run.contestant == contestant), None)


def neighbour_share(results: Results) -> float | None:
    """p50 of a connection beside load on the slow model, to that beside as many connections on its own, embedded."""
    slow, same = (results.neighbour("embedded", beside) for beside in ("slow", "digits"))
    return slow.p50_ms / same.p50_ms if slow and same else None


def stage(name: str) -> Callable[[Results], float | None]:
    """The measure of a target: a figure of the service without load."""
    return lambda results: next((one.value for one in results.stages if one.name == name), None)


def rate(median: Median) -> float:
    """Requests/s."""
    return median.rate


TARGETS: Final = (
    Target("requests/s, embedded to FastAPI, canvas@32", ratio_of("canvas@32", "embedded", "fastapi", rate), 1.0, aim=1.2),
    Target("requests/s, embedded to FastAPI, small@32", ratio_of("small@32", "embedded", "fastapi", rate), 1.0, aim=1.2),
    Target(
        "p50, embedded to FastAPI, canvas@1",
        ratio_of("canvas@1", "embedded", "fastapi", lambda median: median.p50_ms),
        1.1,
        at_least=False,
    ),
    Target(
        "p50, embedded to FastAPI, small@1",
        ratio_of("small@1", "embedded", "fastapi", lambda median: median.p50_ms),
        1.1,
        at_least=False,
    ),
    Target(
        "p99, embedded to FastAPI, canvas@32",
        ratio_of("canvas@32", "embedded", "fastapi", lambda median: median.p99_ms),
        1.5,
        at_least=False,
    ),
    Target(
        "p99, embedded to FastAPI, small@32",
        ratio_of("small@32", "embedded", "fastapi", lambda median: median.p99_ms),
        1.5,
        at_least=False,
    ),
    Target("requests/s, embedded to BentoML as documented, canvas@32", ratio_of("canvas@32", "embedded", "bentoml", rate), 4.0),
    Target("requests/s, runner to BentoML as documented, canvas@64", ratio_of("canvas@64", "runner", "bentoml", rate), 1.8),
    Target("images/s of /classify/batch to the limit without HTTP, small", batch_share, 0.5),
    Target("p50 on digits, beside load on a slow model to beside load on digits", neighbour_share, 1.0, at_least=False),
    Target("s from the start to the first right answer, all models", stage(START), 10.0, at_least=False),
    Target("MB of the largest process, all models", stage(MEMORY), 600.0, at_least=False),
    Target("errors of the long run, embedded, canvas@32", endurance_errors("embedded"), 0, at_least=False),
    Target("errors of the long run, runner, canvas@64", endurance_errors("runner"), 0, at_least=False),
    Target("wrong or failed answers under mixed load, embedded", faults("embedded"), 0, at_least=False),
    Target("largest difference of a probability, embedded", difference("embedded"), PROBABILITY_TOLERANCE, at_least=False),
    Target("wrong or failed answers under mixed load, runner", faults("runner"), 0, at_least=False),
    Target("largest difference of a probability, runner", difference("runner"), PROBABILITY_TOLERANCE, at_least=False),
)


def judge(results: Results, targets: tuple[Target, ...] = TARGETS) -> list[Verdict]:
    """A verdict for every target."""
    verdicts = []
    for target in targets:
        measured = target.measure(results)
        reached = None if measured is None else measured >= target.bound if target.at_least else measured <= target.bound
        verdicts.append(Verdict(target=target.text, wanted=target.wanted, measured=measured, reached=reached))
    return verdicts
