"""What a release must meet, and what a run says about it."""

import re
from pathlib import Path

import pytest

from loadtests.generator.results import MISSED, PASSED, VOID
from loadtests.peak.objectives import (
    Conclusion,
    ObjectivesError,
    conclude,
    exit_code,
    is_confirmed,
    meets,
    read_objectives,
)
from loadtests.peak.results import Objectives, Peak
from tests.loadtests.simulated_service import answered, make_run

OBJECTIVES = Objectives()
LATE = "the generator was late"
GOOD, SLOW = [0.01] * 1000, [0.2] * 1000


def test_shipped_objectives_are_read() -> None:
    release = read_objectives()
    assert release.objectives == OBJECTIVES
    required = release.required_rate("digits", "canvas", cores=2)
    assert required is not None
    assert 0 < required < 300  # any machine with two cores must reach it
    assert release.required_rate("fashion", "canvas", cores=2) is None


@pytest.mark.parametrize("text", ["objectives: {slo: 50}", "[]", "objectives: {}\npeaks: [{models: digits}]", "a: [", None])
def test_unusable_file_is_refused_with_its_name(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "objectives.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ObjectivesError, match=re.escape(str(path))):
        read_objectives(path)


@pytest.mark.parametrize(
    ("latencies", "failed", "met"),
    [(GOOD, 0, True), (GOOD, 1, True), (GOOD, 2, False), (GOOD[:980] + SLOW[:20], 0, False), ([], 0, False)],
)
def test_objectives_are_met_when_few_enough_are_late_or_failed(latencies: list[float], failed: int, met: bool) -> None:
    assert meets(make_run(answered(latencies, failed), 10, 100).result, OBJECTIVES) == met


def test_closed_loop_meets_the_objectives_however_slow() -> None:
    assert meets(make_run(answered(SLOW), 10, None).result, OBJECTIVES)


def test_confirmation_needs_more_than_the_share_in_time() -> None:
    result = make_run(answered(GOOD[:991] + SLOW[:9]), 10, 100).result
    assert meets(result, OBJECTIVES)
    assert not is_confirmed(result, OBJECTIVES)
    assert is_confirmed(make_run(answered(GOOD), 10, 100).result, OBJECTIVES)


@pytest.mark.parametrize(
    ("latencies", "failed", "lag", "conclusion"),
    [
        (GOOD, 0, 0.02, Conclusion.UNKNOWN),
        ([0.06] * 1000, 0, 0.02, Conclusion.UNKNOWN),  # 40 ms of these are the service's
        (SLOW, 0, 0.02, Conclusion.MISSED),
        (GOOD, 100, 0.02, Conclusion.MISSED),
        ([], 0, 0.02, Conclusion.UNKNOWN),
    ],
)
def test_void_run_says_something_only_where_the_service_plainly_missed(
    latencies: list[float], failed: int, lag: float, conclusion: Conclusion
) -> None:
    run = make_run(answered(latencies, failed), 10, 100, lag=lag, void=LATE)
    assert conclude(run.result, OBJECTIVES) is conclusion
    assert not run.met


@pytest.mark.parametrize(
    ("rate", "confirmed", "required", "code"),
    [
        (500, True, None, PASSED),
        (500, True, 120, PASSED),
        (100, True, 120, MISSED),
        (500, False, None, MISSED),
        (None, False, None, MISSED),
    ],
)
def test_exit_code_of_a_search(rate: float | None, confirmed: bool, required: float | None, code: int) -> None:
    peak = Peak(rate=rate, confirmed=confirmed, spread=0.0, noisy=False)
    assert exit_code([make_run(answered(GOOD), 10, 100)], peak, required) == code


def test_search_of_void_runs_is_void() -> None:
    runs = [make_run(answered(GOOD), 10, 100, void=LATE)] * 2
    assert exit_code(runs, Peak(rate=None, confirmed=False, spread=0.0, noisy=False), None) == VOID


@pytest.mark.parametrize(("latencies", "void", "code"), [(GOOD, "", PASSED), (SLOW, "", MISSED), (GOOD, LATE, VOID)])
def test_exit_code_of_a_scenario(latencies: list[float], void: str, code: int) -> None:
    assert exit_code([make_run(answered(latencies), 10, 100, "scenario", void=void)], None, None) == code
