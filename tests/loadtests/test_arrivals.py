"""Arrivals: Poisson processes with a seed, and profiles of rates."""

from itertools import pairwise
from statistics import fmean, pvariance

import pytest

from loadtests.generator.arrivals import Profile, constant, daily_wave, poisson, ramp, spike, steps


def test_same_seed_has_the_same_arrivals() -> None:
    first, again, other = (list(poisson(constant(50), 50, 10, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert first == sorted(first)
    assert 0 < first[0] < first[-1] < 10


def test_arrivals_are_a_poisson_process() -> None:
    """Gaps are exponential: their mean is their standard deviation; counts in intervals have their mean as variance."""
    arrivals = list(poisson(constant(100), 100, 1000, 7))
    assert len(arrivals) == pytest.approx(100_000, rel=0.015)
    gaps = [after - before for before, after in pairwise(arrivals)]
    assert fmean(gaps) == pytest.approx(0.01, rel=0.015)
    assert pvariance(gaps) ** 0.5 == pytest.approx(fmean(gaps), rel=0.02)
    assert sum(gap > 0.01 for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.01)
    counts = [0] * 1000
    for arrival in arrivals:
        counts[int(arrival)] += 1
    assert pvariance(counts) == pytest.approx(fmean(counts), rel=0.15)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (constant(60), (60, 60, 60)),
        (ramp(90, 300), (15, 45, 75)),
        (steps(90, 300, 3), (30, 60, 90)),
        (spike(30, 300, 4), (30, 120, 30)),
        (daily_wave(100, 300), (36.4, 92.2, 36.4)),
    ],
)
def test_rate_follows_the_profile(profile: Profile, expected: tuple[float, ...]) -> None:
    thirds = [0, 0, 0]
    for arrival in poisson(profile, 150, 300, 1):  # more than the profile's highest rate: some are thinned out
        thirds[int(arrival / 100)] += 1
    assert thirds == [pytest.approx(100 * rate, abs=4 * (100 * rate) ** 0.5) for rate in expected]


def test_profiles_have_their_rates_at_the_ends() -> None:
    assert [ramp(90, 30)(time) for time in (0, 15, 30, 99)] == [0, 45, 90, 90]
    assert [steps(90, 30, 3)(time) for time in (0, 9.9, 10, 29, 99)] == [30, 30, 60, 90, 90]
    assert [spike(10, 30, 4)(time) for time in (9.9, 10, 19.9, 20)] == [10, 40, 40, 10]
    assert [daily_wave(100, 30)(time) for time in (0, 15, 30)] == pytest.approx([10, 100, 10])


def test_no_rate_has_no_arrivals() -> None:
    assert list(poisson(constant(0), 0, 10, 1)) == []
    assert list(poisson(constant(0), 50, 10, 1)) == []
