"""Order, counts and times of the results for many files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from ui.api.schemas import Classification
from ui.state.files import BY_DOUBT, BY_NAME, FileRequest, FileResult


def in_order(rows: Sequence[FileResult], order: str) -> list[FileResult]:
    """Return the results in one of `ui.state.files.ORDERS`; what needs attention comes first in `BY_DOUBT`."""
    if order == BY_NAME:
        return sorted(rows, key=lambda row: row.name.casefold())
    return sorted(rows, key=confidence) if order == BY_DOUBT else list(rows)


def confidence(row: FileResult) -> tuple[int, float]:
    """Return how sure a result is: pictures without an answer come first, then rejected ones, then the rest by confidence."""
    if not isinstance(row.outcome, Classification):
        return 0, 0.0
    return 1 if row.outcome.rejected else 2, row.outcome.confidence


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many pictures have each label, the most frequent first, how many were rejected, and how many have no answer."""

    labels: tuple[tuple[str, int], ...]
    rejected: int
    failed: int


def count_labels(rows: Sequence[FileResult]) -> LabelCounts:
    """Count the labels of the pictures; one of a multi-label model counts for each of its labels."""
    answers = [row.outcome for row in rows if isinstance(row.outcome, Classification)]
    accepted = [answer for answer in answers if not answer.rejected]
    labels = Counter(each.label for answer in accepted for each in answer.predicted_labels)
    return LabelCounts(tuple(labels.most_common()), len(answers) - len(accepted), len(rows) - len(answers))


@dataclass(frozen=True, slots=True)
class Performance:
    """How fast the pictures were classified.

    `rate` is pictures a second as the page saw it. `p50_ms` and `p90_ms` are percentiles of the time that a picture was in the
    service. `batch_sizes` are the different numbers of pictures that the model computed at once.
    """

    pictures: int
    requests: int
    rate: float
    p50_ms: float
    p90_ms: float
    batch_sizes: tuple[int, ...]


def measure(rows: Sequence[FileResult], requests: Sequence[FileRequest]) -> Performance | None:
    """Return the performance of the requests, or None if the service reported no times."""
    answers = [row.outcome for row in rows if isinstance(row.outcome, Classification)]
    times = sorted(answer.timings_ms["total"] for answer in answers if "total" in answer.timings_ms)
    pictures, seconds = sum(each.pictures for each in requests), sum(each.seconds for each in requests)
    if not times or not seconds:
        return None
    sizes = sorted({answer.batch_size for answer in answers if answer.batch_size is not None})
    return Performance(pictures, len(requests), pictures / seconds, percentile(times, 50), percentile(times, 90), tuple(sizes))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the nearest-rank percentile of ascending values."""
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]
