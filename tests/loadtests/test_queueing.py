"""The queueing formulas, against a simulated queue and against each other."""

from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.capacity.queueing import erlang_c, fitted_service_rate, highest_rate, least_workers, waiting_share


@pytest.mark.parametrize(("workers", "load", "probability"), [(1, 0.5, 0.5), (2, 1.5, 9 / 14), (10, 8.0, 0.40918)])
def test_erlang_c_has_known_values(workers: int, load: float, probability: float) -> None:
    assert erlang_c(workers, load) == pytest.approx(probability, abs=1e-5)


@pytest.mark.parametrize(("workers", "arrivals"), [(1, 70.0), (2, 150.0), (4, 340.0)])
def test_waiting_share_is_that_of_a_simulated_queue(workers: int, arrivals: float) -> None:
    service_rate, seconds, count = 100.0, 0.02, 100_000
    random, now, late = Random(7), 0.0, 0
    free = [0.0] * workers
    for _ in range(count):
        now += random.expovariate(arrivals)
        start = max(now, heappop(free))
        late += start - now > seconds
        heappush(free, start + random.expovariate(service_rate))
    assert waiting_share(workers, service_rate, arrivals, seconds) == pytest.approx(late / count, abs=0.03)


@given(st.integers(1, 16), st.floats(1, 5000), st.floats(0.001, 1), st.floats(0.001, 0.2))
def test_fitted_service_rate_gives_the_measured_rate_back(workers: int, arrivals: float, seconds: float, share: float) -> None:
    rate = fitted_service_rate(workers, arrivals, seconds, share)
    assert highest_rate(workers, rate, seconds, share) == pytest.approx(arrivals, rel=1e-3)


@given(st.integers(1, 16), st.floats(10, 1000), st.floats(0.001, 0.2))
def test_more_workers_carry_more_than_in_proportion(workers: int, service_rate: float, seconds: float) -> None:
    one, more = (highest_rate(count, service_rate, seconds, 0.01) for count in (1, workers))
    assert more >= workers * one * (1 - 1e-3)


@given(st.floats(10, 1000), st.floats(1, 10_000), st.floats(0.001, 0.2))
def test_least_workers_are_enough_and_one_fewer_is_not(service_rate: float, arrivals: float, seconds: float) -> None:
    workers = least_workers(service_rate, arrivals, seconds, 0.01)
    assert highest_rate(workers, service_rate, seconds, 0.01) >= arrivals * (1 - 1e-3)
    assert workers == 1 or highest_rate(workers - 1, service_rate, seconds, 0.01) < arrivals


def test_a_queue_that_grows_for_ever_is_never_in_time() -> None:
    assert waiting_share(2, 100, 200, 1.0) == 1.0
    assert erlang_c(1, 1.0) == 1.0
