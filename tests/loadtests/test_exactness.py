"""Answers under mixed load against answers alone."""

import asyncio
from typing import Any

import httpx
import pytest

from loadtests.bench.exactness import Request, Tally, compare, distinct_pictures, mixed

REFERENCE: dict[str, Any] = {"label": "7", "probabilities": {"1": 0.1, "7": 0.9}}
ANSWER: dict[str, Any] = {**REFERENCE, "top": [{"label": "7", "confidence": 0.9}], "batch_size": 3}
REQUEST = Request(0, 1, b"", "image/png", {})


def tally(status: int = 200, **answer: Any) -> Tally:
    """What is counted for one answer."""
    counted = Tally()
    counted.add(REQUEST, httpx.Response(status, json={**ANSWER, **answer}), REFERENCE)
    return counted


def test_the_same_answer_is_right() -> None:
    counted = tally()
    assert (counted.failures, counted.wrong_labels, counted.largest_difference) == (0, 0, 0.0)
    assert counted.batch_sizes == {3: 1}


def test_other_answers_are_counted() -> None:
    assert tally(429).failures == 1
    assert tally(label="1").wrong_labels == 1
    assert tally(top=[]).wrong_labels == 1
    assert tally(probabilities={"1": 0.1, "7": 0.8}).largest_difference == pytest.approx(0.1)
    assert tally(top=[{"label": "7", "confidence": 0.7}]).largest_difference == pytest.approx(0.2)


def test_requests_are_mixed_and_the_same_every_time() -> None:
    images = distinct_pictures()
    requests = list(mixed(images, 2000))
    assert requests == list(mixed(images, 2000))
    assert {request.picture for request in requests} == set(range(52))
    assert {request.top_k for request in requests} == set(range(1, 11))
    ways = {(request.content_type.split(";")[0], bool(request.query)) for request in requests}
    assert ways == {("image/png", True), ("multipart/form-data", True), ("multipart/form-data", False)}


@pytest.mark.served
def test_load_changes_no_answer(service_address: str) -> None:
    counted = asyncio.run(compare(service_address, 300))
    assert (counted.failures, counted.wrong_labels) == (0, 0)
    assert counted.largest_difference <= 1e-5
    assert counted.batch_sizes.total() == 300
    assert max(counted.batch_sizes) > 1
