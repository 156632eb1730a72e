"""What the service's ``/metrics`` say, and how they changed during a run."""

import math
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from loadtests.peak.results import StageTime

PREFIX: Final = "image_classifier_"
STAGES: Final = ("decode", "preprocess", "queue", "inference")
PERCENTILE: Final = 0.99
TIMEOUT_SECONDS: Final = 2.0

Buckets = dict[float, float]


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """The metrics at one time; buckets are cumulative counts by their upper bound, in seconds or images."""

    queue_depth: float = 0.0
    in_flight: float = 0.0
    refused: float = 0.0
    stages: Mapping[str, Buckets] = field(default_factory=dict)
    stage_sums: Mapping[str, float] = field(default_factory=dict)
    batch_sizes: Buckets = field(default_factory=dict)


def parse_metrics(text: str) -> ServiceMetrics:
    """Read the text of ``/metrics``; sums over models and devices."""
    gauges: dict[str, float] = defaultdict(float)
    stages: dict[str, Buckets] = defaultdict(dict)
    stage_sums: dict[str, float] = defaultdict(float)
    batch_sizes: Buckets = defaultdict(float)
    own = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(PREFIX))
    for family in text_string_to_metric_families(own):
        for sample in family.samples:
            name, labels = sample.name.removeprefix(PREFIX), sample.labels
            if name == "stage_duration_seconds_bucket":
                stages[labels["stage"]][float(labels["le"])] = sample.value
            elif name == "stage_duration_seconds_sum":
                stage_sums[labels["stage"]] = sample.value
            elif name == "batch_size_bucket":
                batch_sizes[float(labels["le"])] += sample.value
            elif name != "errors_total" or labels["code"] == "overloaded":
                gauges[name] += sample.value
    return ServiceMetrics(
        queue_depth=gauges["queue_depth"],
        in_flight=gauges["images_in_flight"],
        refused=gauges["errors_total"],
        stages=dict(stages),
        stage_sums=dict(stage_sums),
        batch_sizes=dict(batch_sizes),
    )


def scrape(client: httpx.Client) -> ServiceMetrics | None:
    """Ask a service for its metrics; None if it has none or does not answer soon."""
    with suppress(httpx.HTTPError):
        response = client.get("/metrics", timeout=TIMEOUT_SECONDS)
        if response.status_code == httpx.codes.OK and PREFIX in response.text:
            return parse_metrics(response.text)
    return None


def stage_times(before: ServiceMetrics, after: ServiceMetrics) -> list[StageTime]:
    """How long the stages took between two times, in the order of a request; those that nothing passed are left out."""
    found = []
    for name in STAGES:
        buckets = _difference(before.stages.get(name, {}), after.stages.get(name, {}))
        count = buckets.get(math.inf, 0.0)
        if count > 0:
            seconds = after.stage_sums.get(name, 0.0) - before.stage_sums.get(name, 0.0)
            bound = min(bound for bound, below in buckets.items() if below >= PERCENTILE * count)
            highest = max(filter(math.isfinite, buckets), default=0.0)
            p99_ms = 1000 * min(bound, highest)
            found.append(StageTime(name=name, count=round(count), mean_ms=1000 * seconds / count, p99_ms=p99_ms))
    return found


def batch_sizes(before: ServiceMetrics, after: ServiceMetrics) -> dict[int, int]:
    """How many batches there were between two times, by the upper bound of their size."""
    buckets, below, found = _difference(before.batch_sizes, after.batch_sizes), 0.0, {}
    for bound in sorted(buckets):
        if buckets[bound] > below and math.isfinite(bound):
            found[int(bound)] = round(buckets[bound] - below)
        below = buckets[bound]
    return found


def _difference(before: Mapping[float, float], after: Mapping[float, float]) -> Buckets:
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
