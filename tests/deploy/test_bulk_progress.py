"""What deploy.bulk shows while it runs."""

import io
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from deploy.bulk.classifier import RESULTS
from deploy.bulk.progress import LINE_SECONDS, RATED_SECONDS, ProgressReport


def rows(count: int, rejected: int = 0, problems: int = 0) -> pa.Table:
    """Results of ``count`` pictures."""
    columns: dict[str, list[Any]] = {name: [None] * count for name in RESULTS.names}
    columns |= {
        "rejected": [True] * rejected + [False] * (count - rejected - problems) + [None] * problems,
        "problem": [None] * (count - problems) + ["no_ink"] * problems,
    }
    return pa.table({name: columns[name] for name in RESULTS.names}, schema=RESULTS)


def lines(printed: io.StringIO) -> list[str]:
    return printed.getvalue().splitlines()


def test_rate_is_that_of_the_results_after_the_first_and_not_shown_before_it_is_known() -> None:
    now, printed = 0.0, io.StringIO()
    progress = ProgressReport(Console(file=printed, width=200), 10_000, 4_000, lambda: now)
    with progress.shown():
        now = LINE_SECONDS + 5  # a slow start
        progress.add(rows(500))
        now += 0.01  # the other worker: 50,000 a second, if it were shown
        progress.add(rows(500, rejected=20, problems=5))
        assert lines(printed) == ["4,500 of 10,000 pictures, 0 rejected, 0 with a problem"]
        now += LINE_SECONDS - 0.01
        progress.add(rows(500))
    assert lines(printed)[1:] == ["5,500 of 10,000 pictures, 100/s, 0:00:45 left, 20 rejected, 5 with a problem"]


@pytest.mark.parametrize(("seconds", "shown"), [(0.01, False), (RATED_SECONDS, True)])
def test_bar_has_no_rate_in_its_first_moments(seconds: float, shown: bool) -> None:
    now, printed = 0.0, io.StringIO()
    progress = ProgressReport(Console(file=printed, width=200, force_terminal=True), 2_000, 0, lambda: now)
    with progress.shown():
        progress.add(rows(500))
        now += seconds
        progress.add(rows(500))
    assert ("/s" in printed.getvalue()) == shown
    assert "1000/2000" in printed.getvalue()
