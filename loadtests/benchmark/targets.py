"""Performance targets of the service, evaluated on the medians of one run."""

from typing import Final

from loadtests.benchmark.offline import MEMORY, PHOTO_PREPROCESS, START
from loadtests.benchmark.results import Results
from loadtests.benchmark.scenarios import BATCH, CONNECTIONS, ENDURANCE
from loadtests.processes import TOPOLOGIES
from loadtests.report import Bound, Check

PROBABILITY_TOLERANCE: Final = 1e-5
# By image: the CPU time of a request to the simplest FastAPI, divided by that of one to this service, is at least this.
CPU_RATIOS: Final = {"canvas": 1.2, "small": 1.2, "drawing": 1.0}
OTHERS: Final = {"simplest": "the simplest FastAPI", "bentoml": "BentoML as documented"}

TARGETS: Final = {
    **{
        f"CPU a request, the simplest FastAPI to embedded, {image}@{number}": Bound(ratio, at_least=True)
        for image, ratio in CPU_RATIOS.items()
        for number in CONNECTIONS
    },
    **{f"p50, embedded to the simplest FastAPI, {image}@1": Bound(1.0) for image in CPU_RATIOS},
    **{f"p99, embedded to the simplest FastAPI, {image}@32": Bound(0.9) for image in CPU_RATIOS},
    **{f"requests/s, embedded to the simplest FastAPI, {image}@32": Bound(1.2, at_least=True) for image in ("canvas", "small")},
    "requests/s, embedded to BentoML as documented, canvas@32": Bound(4.0, at_least=True),
    "requests/s, runner to BentoML as documented, canvas@64": Bound(1.8, at_least=True),
    "images/s of /classify/batch to the limit without HTTP, small": Bound(0.5, at_least=True),
    "p50 on digits, beside load on a slow model to beside load on digits": Bound(1.0),
    "s from the start to the first right answer, all models": Bound(10.0),
    "MB of the largest process, all models": Bound(600.0),
    "µs of preprocessing a colour picture of 224x224 for a model of that size": Bound(400.0),
    **{f"errors of the long run, {server}, {scenario}": Bound(0) for server, scenario in ENDURANCE},
    **{f"wrong or failed answers under mixed load, {name}": Bound(0) for name in TOPOLOGIES},
    **{f"largest difference of a probability, {name}": Bound(PROBABILITY_TOLERANCE) for name in TOPOLOGIES},
}


def evaluate(results: Results) -> list[Check]:
    """Hold the figures of a run against all targets; what was not measured is neither reached nor missed."""
    measured = _figures(results)
    return [Check(name, bound, measured.get(name)) for name, bound in TARGETS.items()]


def _figures(results: Results) -> dict[str, float | None]:
    """Every figure that a target may be named after; None if it was not measured."""
    medians, stages = results.medians(), {one.name: one.value for one in results.stages}
    batch, limits = medians.get(("batch@4", "embedded")), [one.value for one in results.limits if one.name == "small"]
    slow, same = (medians.get((f"beside {load_on}", "embedded")) for load_on in ("slow", "digits"))
    found: dict[str, float | None] = {
        "images/s of /classify/batch to the limit without HTTP, small": (
            batch["rate"] * BATCH / max(limits) if batch and limits else None
        ),
        "p50 on digits, beside load on a slow model to beside load on digits": (
            slow["p50_ms"] / same["p50_ms"] if slow and same else None
        ),
        "s from the start to the first right answer, all models": stages.get(START),
        "MB of the largest process, all models": stages.get(MEMORY),
        "µs of preprocessing a colour picture of 224x224 for a model of that size": stages.get(PHOTO_PREPROCESS),
    }
    for scenario, server in medians:
        for name, field in (("requests/s", "rate"), ("p50", "p50_ms"), ("p99", "p99_ms")):
            for other, title in OTHERS.items():
                found[f"{name}, {server} to {title}, {scenario}"] = results.ratio(field, scenario, server, other)
        for other, title in OTHERS.items():
            found[f"CPU a request, {title} to {server}, {scenario}"] = results.ratio("cpu_ms", scenario, other, server)
    for run in results.endurance:
        found[f"errors of the long run, {run.server}, {run.scenario}"] = run.errors
    for server in {one.server for one in results.exactness}:
        compared = [one for one in results.exactness if one.server == server]
        wrong = sum(one.failures + one.wrong_labels for one in compared)
        found[f"wrong or failed answers under mixed load, {server}"] = wrong
        found[f"largest difference of a probability, {server}"] = max(one.largest_difference for one in compared)
    return found
