"""Replay: the answers to a drawing while it grows."""

import httpx
import pytest

from tests.ui.fake_service import FakeService, classification, problem_response, request_pictures
from ui.api.client import Client, ServiceError
from ui.api.schemas import Model, ServiceLimits
from ui.images.polyline import Polyline
from ui.state.files import BatchClassifier
from ui.state.replay import STEPS, replay

SEVEN = [Polyline(((80, 65), (200, 65), (128, 225)), 20, "#000000")]


def answer(request: httpx.Request) -> httpx.Response:
    """Answer 1 to the first pictures of the first batch and 7 to the others; the very first one has no ink."""
    count = len(request_pictures(request))
    answers = [classification("1" if number < 3 else "7", rejected=number < 5) for number in range(count)]
    answers[0] = problem_response(422, "no_ink").json()
    return httpx.Response(200, json=answers)


def test_steps_have_the_confidence_of_the_final_label(service: FakeService, client: Client) -> None:
    service.replies["/classify/batch"] = answer
    steps = replay(BatchClassifier(client, Model(name="digits")), SEVEN, "#ffffff", "7")
    assert len(steps) == STEPS
    assert len(service.requests_to("/classify/batch")) == 1
    assert [step.label for step in steps[:4]] == [None, "1", "1", "7"]
    assert [step.confidence for step in steps[:4]] == [0, 0.001, 0.001, 0.991]
    assert [step.rejected for step in steps] == [True] * 5 + [False] * (STEPS - 5)
    assert [step.share for step in (steps[0], steps[-1])] == [1 / STEPS, 1]


def test_batches_are_within_the_limit_of_the_service(service: FakeService, client: Client) -> None:
    replay(BatchClassifier(client, Model(name="digits"), limits=ServiceLimits(max_images=10)), SEVEN, "#ffffff", "7")
    assert [len(request_pictures(request)) for request in service.requests_to("/classify/batch")] == [10, 10, 4]


def test_overload_of_one_picture_is_a_failure(service: FakeService, client: Client) -> None:
    overloaded = problem_response(429, "overloaded").json()
    service.replies["/classify/batch"] = lambda request: httpx.Response(
        200, json=[overloaded for _ in request_pictures(request)]
    )
    with pytest.raises(ServiceError):
        replay(BatchClassifier(client, Model(name="digits")), SEVEN, "#ffffff", "7")
