"""The history of the service's metrics."""

import math

from ui.api.service_metrics import ServiceMetrics
from ui.state.monitor import WINDOW_SECONDS, Monitor


def metrics(requests: float, batches: float = 0.0) -> ServiceMetrics:
    """Return metrics after requests that took up to 10 ms each."""
    return ServiceMetrics({0.01: requests, math.inf: requests}, {1.0: batches, math.inf: batches}, queue=3.0)


def test_rates_are_of_the_window() -> None:
    monitor = Monitor()
    for second in range(0, 41, 2):
        monitor.add(100.0 + second, metrics(7.0 * second, 2.0 * second))
    last = monitor.rates[-1]
    assert (last.requests_per_second, last.p50_ms, last.p99_ms, last.queue) == (7.0, 10.0, 10.0, 3.0)
    assert last.batch_sizes == {1: 2 * WINDOW_SECONDS}
    assert len(monitor.rates) == 20
    assert len(monitor.samples) == WINDOW_SECONDS / 2 + 1


def test_without_requests_there_are_no_percentiles() -> None:
    monitor = Monitor()
    monitor.add(0.0, metrics(5.0))
    assert not monitor.rates
    monitor.add(2.0, metrics(5.0))
    assert (monitor.rates[-1].requests_per_second, monitor.rates[-1].p50_ms) == (0.0, None)


def test_restart_of_the_service_and_a_long_pause_begin_anew() -> None:
    monitor = Monitor()
    monitor.add(0.0, metrics(500.0))
    monitor.add(2.0, metrics(510.0))
    monitor.add(4.0, metrics(3.0))
    assert not monitor.rates
    monitor.add(6.0, metrics(5.0))
    assert monitor.rates[-1].requests_per_second == 1.0
    monitor.add(1000.0, metrics(5.0))
    assert not monitor.rates
