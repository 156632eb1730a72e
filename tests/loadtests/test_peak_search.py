"""The search for the peak, on a simulated service whose peak is known from queueing theory."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.peak.results import Objectives, Peak, Run
from loadtests.peak.runner import RunPlan
from loadtests.peak.search import (
    CURVE,
    MAX_RUNS,
    PRECISION,
    PeakSearch,
    SearchStep,
    confirmation_seconds,
    contradict,
    next_rate,
    spread,
)
from tests.loadtests.simulated_service import SimulatedService, answered, make_run

SECONDS = 20.0


def find(service: SimulatedService) -> tuple[Peak, list[Run]]:
    search = PeakSearch(service.measure, Objectives(), SECONDS)
    return search.find(), search.runs


def search_alone(first: float, limit: float, misses_by_chance: Sequence[int] = ()) -> list[SearchStep]:
    """The steps of a search when all rates up to ``limit`` meet the objectives, except for some steps."""
    steps: list[SearchStep] = []
    while (rate := next_rate(steps, first)) is not None:
        steps.append(SearchStep(rate, rate <= limit and len(steps) not in misses_by_chance))
        assert len(steps) <= 2 * MAX_RUNS
    return steps


@given(st.floats(1, 10_000), st.floats(0.1, 8))
def test_search_ends_just_below_the_limit(first: float, share: float) -> None:
    limit = share * first
    steps = search_alone(first, limit)
    best = max(step.rate for step in steps if step.met)
    assert best <= limit <= best * (1 + PRECISION)
    assert len(steps) <= MAX_RUNS


def test_search_that_begins_near_the_limit_takes_few_runs() -> None:
    assert len(search_alone(400, 480)) <= 6


def test_search_gives_up_where_nothing_is_met() -> None:
    steps = search_alone(100, 0)
    assert len(steps) <= 5
    assert min(step.rate for step in steps) < 10


@given(st.integers(0, 7))
def test_one_miss_by_chance_does_not_end_the_search(number: int) -> None:
    steps = search_alone(400, 480, [number])
    assert max(step.rate for step in steps if step.met) >= 480 / (1 + PRECISION)


@pytest.mark.parametrize("workers", [1, 4])
def test_peak_of_a_simulated_service_is_that_of_queueing_theory(workers: int) -> None:
    service = SimulatedService(workers=workers, work=0.002 * workers)
    peak, runs = find(service)
    assert peak.confirmed
    assert peak.rate == pytest.approx(service.peak(), rel=0.12)
    confirmations = [run for run in runs if run.purpose == "confirmation"][-3:]
    assert all(run.met and run.result.rate == peak.rate for run in confirmations)
    assert [run.result.rate for run in runs if run.purpose == "curve"] == [share * (peak.rate or 0) for share in CURVE]
    assert not [run for run in runs if run.purpose == "curve"][-1].met  # 1.3 times the peak is more than the service can do


def test_a_disturbance_in_the_search_does_not_lower_the_peak() -> None:
    quiet, _ = find(SimulatedService())
    disturbed, _ = find(SimulatedService(disturbed=frozenset((3,))))
    assert quiet.rate is not None
    assert disturbed.rate == pytest.approx(quiet.rate, rel=0.1)


def test_a_failed_confirmation_lowers_the_rate_and_is_remarked() -> None:
    _, runs = find(SimulatedService())
    first = 1 + next(number for number, run in enumerate(runs) if run.purpose == "confirmation")
    peak, runs = find(SimulatedService(disturbed=frozenset((first,))))
    rates = [run.result.rate for run in runs if run.purpose == "confirmation"]
    assert rates[1] == pytest.approx(0.96 * (rates[0] or 0))
    assert any("had to be lowered by" in remark for remark in peak.remarks)


def test_confirmations_that_fail_lower_the_rate_in_growing_steps() -> None:
    _, runs = find(SimulatedService())
    first = 1 + next(number for number, run in enumerate(runs) if run.purpose == "confirmation")
    peak, runs = find(SimulatedService(disturbed=frozenset(range(first, first + 3))))
    rates = list(dict.fromkeys(run.result.rate or 0 for run in runs if run.purpose == "confirmation"))
    assert rates[1:] == pytest.approx([0.96 * rates[0], 0.96 * 0.92 * rates[0], 0.96 * 0.92 * 0.84 * rates[0]])
    assert peak.confirmed
    assert any("had to be lowered by 26%" in remark for remark in peak.remarks)


def test_confirmations_that_all_fail_leave_an_unconfirmed_noisy_peak() -> None:
    peak, _ = find(SimulatedService(disturbed=frozenset(range(12, 100))))
    assert not peak.confirmed
    assert peak.noisy


def test_generator_that_is_the_limit_is_remarked_and_its_runs_are_repeated_once() -> None:
    service = SimulatedService(generator_limit=200)
    peak, runs = find(service)
    assert peak.rate is not None
    assert peak.rate <= 200
    assert any("the generator was the limit" in remark for remark in peak.remarks)
    void = [run.result.rate for run in runs if run.result.void and run.purpose == "search"]
    assert len(void) % 2 == 0


def test_service_that_answers_nothing_correctly_has_no_peak() -> None:
    search = PeakSearch(lambda plan: make_run(answered([], failed=50), plan.seconds, plan.rate), Objectives(), SECONDS)
    peak = search.find()
    assert peak.rate is None
    assert len(search.runs) == 1
    assert "No response was correct" in peak.remarks[0]


def test_service_that_fails_at_any_rate_has_no_peak() -> None:
    search = PeakSearch(lambda plan: make_run(answered([0.01] * 90, 10), plan.seconds, plan.rate), Objectives(), SECONDS)
    peak = search.find()
    assert peak.rate is None
    assert peak.remarks == ["No rate met the objectives."]


def test_confirmation_lasts_until_enough_requests_are_due_but_not_for_ever() -> None:
    assert confirmation_seconds(1000, SECONDS, 0.99) == SECONDS
    assert confirmation_seconds(20, SECONDS, 0.99) == 2 * 459 / 20
    assert confirmation_seconds(0.1, SECONDS, 0.99) == 4 * SECONDS


def test_too_few_requests_for_the_bound_are_remarked() -> None:
    def measure(plan: RunPlan) -> Run:
        latency = 0.01 if (plan.rate or 0) < 60 else 0.2
        return make_run(answered([latency] * 50), 1, plan.rate, plan.purpose)

    peak = PeakSearch(measure, Objectives(), 1).find()
    assert (peak.confirmed, peak.noisy) == (False, False)
    assert any("needs 459" in remark for remark in peak.remarks)


def test_misses_well_below_what_met_contradict_it() -> None:
    assert contradict([SearchStep(80, False), SearchStep(100, True)])
    assert not contradict([SearchStep(95, False), SearchStep(100, True), SearchStep(120, False)])


def test_spread_is_relative_to_the_mean() -> None:
    assert spread([95.0, 100.0, 105.0]) == pytest.approx(0.1)
    assert spread([0.0]) == 0.0
