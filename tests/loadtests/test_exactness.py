"""Responses under mixed load compared with responses alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.benchmark.exactness import add, compare, distinct_images, mixed, run_exactness
from loadtests.benchmark.other_forms import OTHER_FORMS
from loadtests.benchmark.results import Exactness
from loadtests.requests import Request, Response

REFERENCE: dict[str, Any] = {"label": "7", "probabilities": {"1": 0.1, "7": 0.9}}
ANSWER: dict[str, Any] = {**REFERENCE, "top": [{"label": "7", "confidence": 0.9}], "batch_size": 3}


def comparison(status: int = 200, **answer: Any) -> Exactness:
    """The comparison of one response with the reference; the request had image 0 and top_k=1."""
    found = Exactness(server="embedded", requests=1)
    add(
        found,
        [REFERENCE],
        Request("0 1"),
        Response(status, body=json.dumps({**ANSWER, **answer}).encode()),
    )
    return found


def test_equal_response_has_no_difference() -> None:
    counted = comparison()
    assert (counted.failures, counted.wrong_labels, counted.largest_difference) == (0, 0, 0.0)
    assert counted.batch_sizes == {3: 1}


def test_different_responses_are_counted() -> None:
    assert comparison(429).failures == 1
    assert comparison(label="1").wrong_labels == 1
    assert comparison(top=[]).wrong_labels == 1
    assert comparison(probabilities={"1": 0.1, "7": 0.8}).largest_difference == pytest.approx(0.1)
    assert comparison(top=[{"label": "7", "confidence": 0.7}]).largest_difference == pytest.approx(0.2)


def test_requests_are_mixed_and_reproducible() -> None:
    images = distinct_images()
    requests = list(mixed(images, 2000))
    assert requests == list(mixed(images, 2000))
    named = [request.name.split() for request in requests]
    assert {int(image) for image, _ in named} == set(range(52))
    assert {int(top_k) for _, top_k in named} == set(range(1, 11))
    assert {request.target.endswith("model=digits") for request in requests if "?" in request.target} == {True}
    modes = {(request.content_type.startswith("multipart/form-data"), "?top_k=" in request.target) for request in requests}
    assert modes == {(False, True), (True, True), (True, False)}


@pytest.mark.served
def test_load_changes_no_response(service_address: str) -> None:
    counted = compare("embedded", service_address, 300)
    assert (counted.failures, counted.wrong_labels) == (0, 0)
    assert counted.largest_difference <= 1e-5
    assert sum(counted.batch_sizes.values()) == 300
    assert max(counted.batch_sizes) > 1


@pytest.mark.served
def test_imported_models_of_other_forms_answer_as_onnxruntime_by_hand(tmp_path: Path) -> None:
    digits, photo, last = run_exactness(["embedded"], 300, tmp_path)
    assert [one.model for one in (digits, photo, last)] == ["digits", "photo", "bytes"]
    for one in (digits, photo, last):
        assert (one.failures, one.wrong_labels) == (0, 0)
        assert one.largest_difference <= 1e-5
    assert sum(photo.batch_sizes.values()) == sum(last.batch_sizes.values()) == 30


def test_other_forms_depend_on_the_picture(tmp_path: Path) -> None:
    for form in OTHER_FORMS:
        form.write(tmp_path / form.name)
        probabilities = [list(one["probabilities"].values()) for one in form.references(tmp_path / form.name)]
        spread = np.ptp(probabilities, axis=0).max()
        assert 1e-3 < spread < 0.999
