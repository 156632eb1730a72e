"""The service's `/metrics`, in Prometheus' text format: requests, their durations, batch sizes and queues."""

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

# Cumulative counts by their upper bound, in seconds or images.
Buckets = dict[float, float]

SAMPLE: Final = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
DURATIONS: Final = "bentoml_service_request_duration_seconds_bucket"
BATCH_SIZES: Final = "image_classifier_batch_size_bucket"
QUEUE: Final = "image_classifier_queue_depth"
IN_FLIGHT: Final = "image_classifier_images_in_flight"
# Health checks would hide what visitors send.
NOT_COUNTED: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """The metrics at one time, summed over routes, models and devices. Counts only rise until the service starts again."""

    durations: Buckets = field(default_factory=dict)
    batch_sizes: Buckets = field(default_factory=dict)
    queue: float = 0.0
    in_flight: float = 0.0

    @property
    def requests(self) -> float:
        """How many requests were answered."""
        return self.durations.get(math.inf, 0.0)


def parse_metrics(text: str) -> ServiceMetrics:
    """Read the text of `/metrics`; unknown lines are ignored."""
    durations: Buckets = defaultdict(float)
    batch_sizes: Buckets = defaultdict(float)
    gauges: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match is None or match[1] not in (DURATIONS, BATCH_SIZES, QUEUE, IN_FLIGHT):
            continue
        labels, value = dict(LABEL.findall(match[2] or "")), float(match[3])
        if match[1] == BATCH_SIZES:
            batch_sizes[float(labels["le"])] += value
        elif match[1] != DURATIONS:
            gauges[match[1]] += value
        elif labels.get("endpoint") not in NOT_COUNTED:
            durations[float(labels["le"])] += value
    return ServiceMetrics(dict(durations), dict(batch_sizes), gauges[QUEUE], gauges[IN_FLIGHT])


def difference(before: Buckets, after: Buckets) -> Buckets:
    """Return how much each cumulative count rose."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


def percentile(buckets: Buckets, share: float) -> float | None:
    """Return the upper bound of the bucket in which a share of all values is reached; None without values.

    Values above the highest finite bound count as that bound.
    """
    count = buckets.get(math.inf, 0.0)
    if count <= 0:
        return None
    bound = min(bound for bound, below in buckets.items() if below >= share * count)
    return min(bound, max(filter(math.isfinite, buckets), default=0.0))


def counts_by_bound(buckets: Buckets) -> dict[int, int]:
    """Return how many values each bucket has, by its upper bound; empty buckets are left out."""
    found, below = {}, 0.0
    for bound in sorted(filter(math.isfinite, buckets)):
        if buckets[bound] > below:
            found[int(bound)] = round(buckets[bound] - below)
        below = buckets[bound]
    return found
