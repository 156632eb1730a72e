"""Differences of the service's metrics between two times."""

import httpx
import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from loadtests.peak.observer import ServiceObserver
from loadtests.peak.service_metrics import batch_sizes, parse_metrics, scrape, stage_times

PREFIX = "image_classifier"


class Service:
    """The metrics of a service, as it has them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stage = Histogram(
            f"{PREFIX}_stage_duration_seconds", "s", ["stage"], buckets=(0.001, 0.01, 0.1), registry=self.registry
        )
        self.batch = Histogram(f"{PREFIX}_batch_size", "s", ["model", "device"], buckets=(1, 2, 4), registry=self.registry)
        self.errors = Counter(f"{PREFIX}_errors", "s", ["code"], registry=self.registry)
        self.queue = Gauge(f"{PREFIX}_queue_depth", "s", ["model", "device"], registry=self.registry)
        self.flying = Gauge(f"{PREFIX}_images_in_flight", "s", registry=self.registry)
        Counter("bentoml_service_request", "s", registry=self.registry).inc(7)

    def text(self) -> str:
        """The text of /metrics."""
        return generate_latest(self.registry).decode()

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer an HTTP request."""
        return httpx.Response(200 if request.url.path == "/metrics" else 404, text=self.text())


def test_stages_and_batches_are_those_between_two_times() -> None:
    service = Service()
    service.stage.labels("queue").observe(0.05)
    service.batch.labels("digits", "cpu").observe(4)
    before = parse_metrics(service.text())
    for _ in range(99):
        service.stage.labels("queue").observe(0.0005)
    for _ in range(2):
        service.stage.labels("queue").observe(0.005)
    service.stage.labels("decode").observe(5.0)
    for size in (1, 2, 2):
        service.batch.labels("digits", "cpu").observe(size)
    service.batch.labels("fashion", "cpu").observe(1)
    after = parse_metrics(service.text())
    decode, queue = stage_times(before, after)
    assert (decode.name, decode.count, decode.p99_ms) == ("decode", 1, 100.0)
    assert (queue.name, queue.count, queue.p99_ms) == ("queue", 101, 10.0)
    assert abs(queue.mean_ms - (99 * 0.5 + 2 * 5) / 101) < 1e-6
    assert batch_sizes(before, after) == {1: 2, 2: 2}


def test_only_refusals_for_overload_count_as_refused() -> None:
    service = Service()
    service.errors.labels("overloaded").inc(3)
    service.errors.labels("no_ink").inc(5)
    service.queue.labels("digits", "cpu").set(2)
    service.queue.labels("fashion", "cpu").set(1)
    service.flying.set(9)
    metrics = parse_metrics(service.text())
    assert (metrics.refused, metrics.queue_depth, metrics.in_flight) == (3, 3, 9)


def test_service_without_metrics_has_none() -> None:
    for response in (httpx.Response(404), httpx.Response(200, text="<html>")):
        with httpx.Client(base_url="http://service", transport=httpx.MockTransport(lambda _, found=response: found)) as client:
            assert scrape(client) is None


def test_observer_keeps_what_lies_in_the_measured_time() -> None:
    service = Service()
    observer = ServiceObserver("http://service", psutil.Process(), transport=httpx.MockTransport(service.answer))
    for refused in (1, 2, 4, 8):
        service.errors.labels("overloaded").inc(refused)
        observer.observe()
    times = [one.time for one in observer.observations]
    found = observer.summarise(times[1], times[2] - times[1])
    assert found.refused == 4
    assert [sample.second for sample in found.resources] == [0.0, round(times[2] - times[1], 3)]
    assert all(sample.memory_mb and sample.cpu_cores is not None and sample.in_flight == 0 for sample in found.resources)
    observer.close()
