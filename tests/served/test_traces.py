"""Traces and JSON log lines of real `bentoml serve` processes, embedded and with a runner; the traces arrive at a collector."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.collector import Collector, Span, running_collector
from tests.support.pictures import digit, encoded
from tests.support.processes import free_port, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
API, RUNNER = "image_classifier", "image_classifier_runner"
CONCURRENT = 24
SERVER, CLIENT, INTERNAL = 2, 3, 1


class Traced(NamedTuple):
    """A service, its topology, its log, and the collector of its traces."""

    address: str
    topology: str
    log: Path
    collector: Collector

    def lines(self) -> list[dict[str, Any]]:
        """The whole log; every line is a JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def lines_of(self, request_id: str, count: int) -> list[dict[str, Any]]:
        """The lines with an id, as soon as there are ``count``."""
        until(lambda: self.log.read_text().count(f'"request_id": "{request_id}"') >= count)
        return [line for line in self.lines() if line.get("request_id") == request_id]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module", params=["embedded", "runner"])
def traced(request: pytest.FixtureRequest, model_store: Path, collector: Collector) -> Iterator[Traced]:
    settings = {
        "TOPOLOGY": request.param,
        "WORKERS": "1",
        "LOG_FORMAT": "json",
        "ACCESS_LOG": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_TRACES_SAMPLER_ARG": "0",  # only what a caller traces
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    port = free_port()
    with start_service(model_store, port, **settings) as address:
        yield Traced(address, request.param, model_store / f"service-{port}.log", collector)


def traceparent(trace_id: str, span_id: str = "00f067aa0ba902b7", *, sampled: bool = True) -> dict[str, str]:
    """The header of a caller that traces its request."""
    return {"traceparent": f"00-{trace_id}-{span_id}-{int(sampled):02x}"}


def structure(spans: list[Span]) -> list[tuple[str, str, int, str]]:
    """Service, name and kind of each span, and the name of its parent."""
    names = {span.span_id: f"{span.service} {span.name}" for span in spans}
    return sorted((span.service, span.name, span.kind, names.get(span.parent, span.parent)) for span in spans)


def expected(topology: str) -> list[tuple[str, str, int, str]]:
    """The structure of the trace of one request to /classify."""
    request, call = f"{API} POST /classify", f"{RUNNER} POST /digits/cpu"
    spans = [
        (API, "POST /classify", SERVER, "00f067aa0ba902b7"),
        (API, "preprocess", INTERNAL, request),
        (API, "queue", INTERNAL, request),
        (API, "inference", CLIENT if topology == "runner" else INTERNAL, request),
    ]
    if topology == "runner":
        spans += [
            (RUNNER, "POST /digits/cpu", SERVER, f"{API} inference"),
            (RUNNER, "queue", INTERNAL, call),
            (RUNNER, "inference", INTERNAL, call),
        ]
    return sorted(spans)


def test_one_request_is_one_trace_through_queue_and_runner(traced: Traced) -> None:
    trace_id, headers = secrets.token_hex(16), {"X-Request-ID": "followed/1"}
    response = httpx.post(f"{traced.address}/classify", content=SEVEN, headers=headers | traceparent(trace_id))
    assert response.headers["x-request-id"] == "followed/1"
    wanted = expected(traced.topology)
    spans = traced.collector.trace(trace_id, lambda spans: len(spans) >= len(wanted))
    assert structure(spans) == wanted
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        assert span.started <= span.ended
        assert not span.failed
        if parent := by_id.get(span.parent):
            # A server may note its end after the caller has its answer.
            assert parent.started <= span.started + 1_000_000 and span.started <= parent.ended, span
    request = next(span for span in spans if span.name == "POST /classify")
    assert request.attributes["request_id"] == "followed/1"
    assert (request.attributes["http.response.status_code"], request.attributes["url.path"]) == (200, "/classify")
    for call in (span for span in spans if span.name == "inference"):
        assert call.attributes == {"device": "cpu", "batch_size": 1, "provider": "CPUExecutionProvider"}
    order = [span.name for span in spans if span.service == API]
    assert order == ["POST /classify", "preprocess", "queue", "inference"]
    if traced.topology == "runner":
        assert next(span for span in spans if span.name == "POST /digits/cpu").attributes["request_id"] == "followed/1"


def test_log_lines_of_a_request_have_its_id_and_trace_in_every_process(traced: Traced) -> None:
    trace_id = secrets.token_hex(16)
    headers = {"X-Request-ID": f"logged-{traced.topology}"} | traceparent(trace_id)
    assert httpx.post(f"{traced.address}/classify", content=SEVEN, headers=headers).status_code == 200
    services = [API, RUNNER] if traced.topology == "runner" else [API]
    lines = traced.lines_of(headers["X-Request-ID"], len(services))
    assert sorted(line["service"] for line in lines) == services
    for line in lines:
        assert (line["level"], line["logger"], line["trace_id"]) == ("INFO", "bentoml.access", trace_id)
        assert "status=200" in line["message"]
    assert not [line for line in traced.lines() if line["message"].startswith("Service") and "request_id" in line]


def test_a_request_that_its_caller_does_not_trace_leaves_no_span(traced: Traced) -> None:
    untraced, followed = secrets.token_hex(16), secrets.token_hex(16)
    for headers in ({}, traceparent(untraced, sampled=False), traceparent(followed)):
        assert httpx.post(f"{traced.address}/classify", content=SEVEN, headers=headers).status_code == 200
    wanted = expected(traced.topology)
    traced.collector.trace(followed, lambda spans: len(spans) >= len(wanted))
    assert not [span for span in traced.collector.spans if span.trace_id == untraced]
    assert not [span for span in traced.collector.spans if not span.parent]


def test_requests_that_share_a_batch_have_their_own_spans_and_one_call(traced: Traced) -> None:
    trace_id = secrets.token_hex(16)

    async def post_all() -> None:
        async with httpx.AsyncClient(base_url=traced.address, timeout=30) as client:
            ids = [f"batch-{number}" for number in range(CONCURRENT)]
            posts = (
                client.post("/classify?model=fashion", content=SEVEN, headers={"X-Request-ID": id} | traceparent(trace_id))
                for id in ids
            )
            answers = await asyncio.gather(*posts)
            assert [answer.headers["x-request-id"] for answer in answers] == ids

    asyncio.run(post_all())

    def complete(spans: list[Span]) -> bool:
        return sum(span.service == API for span in spans) >= 4 * CONCURRENT

    spans = traced.collector.trace(trace_id, complete)
    requests = {span.span_id: span for span in spans if span.name == "POST /classify"}
    calls = [span for span in spans if (span.service, span.name) == (API, "inference")]
    assert sorted(span.parent for span in calls) == sorted(requests)
    first = {span.span_id: span for span in calls if not span.links}
    assert len(first) < CONCURRENT  # some shared a call
    for span in calls:
        (shared,) = span.links or (span.span_id,)
        assert first[shared].attributes["batch_size"] == span.attributes["batch_size"]
        assert (first[shared].started, first[shared].ended) == (span.started, span.ended)
    if traced.topology == "runner":
        assert {span.parent for span in spans if span.name == "POST /fashion/cpu"} <= set(first)


def test_an_error_is_traced_and_logged_under_the_id_of_its_problem_document(traced: Traced) -> None:
    trace_id = secrets.token_hex(16)
    response = httpx.post(f"{traced.address}/classify", content=b"no picture", headers=traceparent(trace_id))
    problem = response.json()
    (span,) = (one for one in traced.collector.trace(trace_id, lambda spans: len(spans) >= 2) if one.kind == SERVER)
    assert (response.status_code, span.attributes["http.response.status_code"]) == (415, 415)
    assert problem["request_id"] == response.headers["x-request-id"] == span.attributes["request_id"]
    (line,) = traced.lines_of(problem["request_id"], 1)
    assert "status=415" in line["message"]
