"""MLPerf's early-stopping bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import binom

from loadtests.peak.early_stopping import CONFIDENCE, is_shown, needed_requests

SHARES = st.sampled_from((0.9, 0.95, 0.97, 0.99, 0.999))


@pytest.mark.parametrize(
    ("share", "late", "requests"),
    # The fewest queries in MLPerf's rules: 64 for the 90th percentile of Single Stream, 662 for the 99th of Multi Stream.
    [(0.99, 0, 459), (0.99, 1, 662), (0.9, 1, 64), (0.9, 0, 44), (0.97, 0, 152), (0.99, 10, 2010)],
)
def test_fewest_requests_are_those_of_loadgen(share: float, late: int, requests: int) -> None:
    assert needed_requests(late, share) == requests


@given(SHARES, st.integers(0, 60))
def test_needed_requests_are_the_fewest_that_pass(share: float, late: int) -> None:
    needed = needed_requests(late, share)
    assert is_shown(needed, late, share)
    assert not is_shown(needed - 1, late, share)


@given(st.integers(1, 20_000), st.integers(0, 200), SHARES)
def test_bound_is_the_incomplete_beta_function_of_loadgen(requests: int, late: int, share: float) -> None:
    if late < requests:
        assert is_shown(requests, late, share) == (betainc(requests - late, late + 1, share) <= 1 - CONFIDENCE)


@given(st.integers(1, 5_000), st.integers(0, 100), SHARES)
def test_fewer_late_requests_or_more_requests_never_fail_what_passed(requests: int, late: int, share: float) -> None:
    if is_shown(requests, late, share):
        assert late < (1 - share) * requests
        assert is_shown(requests + 1, late, share)
        assert late == 0 or is_shown(requests, late - 1, share)


@given(st.integers(1, 5_000), SHARES)
def test_a_service_just_below_the_share_passes_at_most_one_run_in_a_hundred(requests: int, share: float) -> None:
    passing = [late for late in range(requests + 1) if late < (1 - share) * requests and is_shown(requests, late, share)]
    chance = float(binom.cdf(max(passing), requests, 1 - share)) if passing else 0.0
    assert chance <= 1 - CONFIDENCE
    assert passing == list(range(len(passing)))


def test_no_request_shows_nothing() -> None:
    assert not is_shown(0, 0, 0.99)
