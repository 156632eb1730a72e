"""Order, counts and times of the results for many files."""

import pytest

from tests.ui.gallery_helpers import make_classification, make_scenes
from ui.api.client import ServiceError
from ui.state.file_statistics import LabelCounts, count_labels, in_order, measure, percentile
from ui.state.files import AS_SENT, BY_DOUBT, BY_NAME, FileRefusal, FileRequest, FileResult

DAMAGED = ServiceError(status=422, title="", detail="", code="undecodable")


def result(name: str, label: str = "7", **changes: object) -> FileResult:
    return FileResult(name, None, make_classification(label, **changes))


ROWS = [
    result("sure"),
    result("Unsure", confidence=0.4),
    result("odd", rejected=True, confidence=0.9),
    FileResult("cut", None, DAMAGED),
    FileResult("empty", None, FileRefusal("empty")),
]


def test_what_needs_attention_comes_first() -> None:
    assert [row.name for row in in_order(ROWS, BY_DOUBT)] == ["cut", "empty", "odd", "Unsure", "sure"]
    assert [row.name for row in in_order(ROWS, BY_NAME)] == ["cut", "empty", "odd", "sure", "Unsure"]
    assert in_order(ROWS, AS_SENT) == ROWS


def test_labels_are_counted() -> None:
    rows = [*ROWS, result("one", "1"), FileResult("scene", None, make_scenes()), FileResult("late", None, None)]
    assert count_labels(rows) == LabelCounts((("7", 2), ("1", 1), ("water", 1), ("sky", 1)), 1, 3)
    assert count_labels([]) == LabelCounts((), 0, 0)


def test_rate_latencies_and_batches() -> None:
    rows = [result(str(n), timings_ms={"total": float(n)}, batch_size=8 if n > 4 else 2) for n in range(1, 11)]
    measured = measure([*rows, *ROWS[3:]], [FileRequest(8, 0.25), FileRequest(2, 0.25)])
    assert measured is not None
    assert (measured.pictures, measured.requests, measured.rate) == (10, 2, 20.0)
    assert (measured.p50_ms, measured.p90_ms, measured.batch_sizes) == (5.0, 9.0, (2, 8))


def test_service_without_times_has_no_performance() -> None:
    assert measure([result("a", timings_ms={})], [FileRequest(1, 0.1)]) is None
    assert measure([], []) is None


@pytest.mark.parametrize(("percent", "value"), [(50, 2.0), (90, 3.0), (1, 1.0), (100, 3.0)])
def test_percentiles_are_values_that_occurred(percent: int, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0], percent) == value
