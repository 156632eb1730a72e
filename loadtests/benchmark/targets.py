"""Performance targets of the service, evaluated on the medians of one run."""

from dataclasses import dataclass
from typing import Final

from loadtests.benchmark.results import Record, Results
from loadtests.benchmark.scenarios import BATCH
from loadtests.benchmark.stages import MEMORY, START

PROBABILITY_TOLERANCE: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound on a figure; ``aim`` is what is hoped for beyond it."""

    value: float
    at_least: bool = False
    aim: float | None = None

    def __str__(self) -> str:
        text = f"{'at least' if self.at_least else 'at most'} {self.value:g}"
        return text if self.aim is None else f"{text}, aim {self.aim:g}"

    def allows(self, figure: float) -> bool:
        """Whether a figure reaches the bound."""
        return figure >= self.value if self.at_least else figure <= self.value


TARGETS: Final = {
    "requests/s, embedded to FastAPI, canvas@32": Bound(1.0, at_least=True, aim=1.2),
    "requests/s, embedded to FastAPI, small@32": Bound(1.0, at_least=True, aim=1.2),
    "p50, embedded to FastAPI, canvas@1": Bound(1.1),
    "p50, embedded to FastAPI, small@1": Bound(1.1),
    "p99, embedded to FastAPI, canvas@32": Bound(1.5),
    "p99, embedded to FastAPI, small@32": Bound(1.5),
    "requests/s, embedded to BentoML as documented, canvas@32": Bound(4.0, at_least=True),
    "requests/s, runner to BentoML as documented, canvas@64": Bound(1.8, at_least=True),
    "images/s of /classify/batch to the limit without HTTP, small": Bound(0.5, at_least=True),
    "p50 on digits, beside load on a slow model to beside load on digits": Bound(1.0),
    "s from the start to the first right answer, all models": Bound(10.0),
    "MB of the largest process, all models": Bound(600.0),
    "errors of the long run, embedded, canvas@32": Bound(0),
    "errors of the long run, runner, canvas@64": Bound(0),
    "wrong or failed answers under mixed load, embedded": Bound(0),
    "largest difference of a probability, embedded": Bound(PROBABILITY_TOLERANCE),
    "wrong or failed answers under mixed load, runner": Bound(0),
    "largest difference of a probability, runner": Bound(PROBABILITY_TOLERANCE),
}


class TargetResult(Record):
    """A target, what was measured, and whether the target is reached; both None if it was not measured."""

    target: str
    wanted: str
    measured: float | None
    reached: bool | None


def evaluate(results: Results) -> list[TargetResult]:
    """Evaluate every target."""
    found, measured = [], _figures(results)
    for name, bound in TARGETS.items():
        figure = measured.get(name)
        reached = None if figure is None else bound.allows(figure)
        found.append(TargetResult(target=name, wanted=str(bound), measured=figure, reached=reached))
    return found


def _figures(results: Results) -> dict[str, float | None]:
    """Every figure that a target may be named after; None if it was not measured."""
    batch, stages = results.medians().get(("batch@4", "embedded")), {one.name: one.value for one in results.stages}
    limits = [limit for size in {one.batch for one in results.limits} if (limit := results.limit("small", size))]
    batch_share = batch["rate"] * BATCH / max(limits) if batch and limits else None
    slow, same = (results.neighbour("embedded", load_on) for load_on in ("slow", "digits"))
    neighbour_ratio = slow.p50_ms / same.p50_ms if slow and same else None
    found: dict[str, float | None] = {
        "images/s of /classify/batch to the limit without HTTP, small": batch_share,
        "p50 on digits, beside load on a slow model to beside load on digits": neighbour_ratio,
        "s from the start to the first right answer, all models": stages.get(START),
        "MB of the largest process, all models": stages.get(MEMORY),
    }
    for scenario, server in results.medians():
        for name, field in (("requests/s", "rate"), ("p50", "p50_ms"), ("p99", "p99_ms")):
            for other, title in (("fastapi", "FastAPI"), ("bentoml", "BentoML as documented")):
                found[f"{name}, {server} to {title}, {scenario}"] = results.ratio(field, scenario, server, other)
    for run in results.endurance:
        found[f"errors of the long run, {run.server}, {run.scenario}"] = run.errors
    for one in results.exactness:
        found[f"wrong or failed answers under mixed load, {one.server}"] = one.failures + one.wrong_labels
        found[f"largest difference of a probability, {one.server}"] = one.largest_difference
    return found
