"""Answers to a stroke that is still being drawn."""

import httpx
import pytest

from tests.ui.fake_service import (
    OTHER_PNG,
    PNG,
    FakeService,
    classification,
    explanation,
    problem_response,
    sequence_classification,
)
from tests.ui.gallery_helpers import FakeClock
from ui.api.client import Client
from ui.state import live_answers
from ui.state.live_answers import PAUSE_SECONDS, LiveAnswers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(live_answers, "monotonic", clock)
    return clock


def test_every_model_answers(service: FakeService, client: Client) -> None:
    live = LiveAnswers()
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("A", model="letters"))
    assert live.request(client, PNG, [("digits", "auto"), ("letters", "cpu")])
    assert {model: answer.label for model, answer in live.answers.items()} == {"digits": "7", "letters": "A"}
    assert live.model_input is not None
    assert [(request.url.path, request.url.params.get("heatmap")) for request in service.requests] == [
        ("/explain", "false"),
        ("/classify", None),
    ]


def test_sequence_answers_without_what_the_model_sees(service: FakeService, client: Client) -> None:
    live = LiveAnswers()
    service.replies["/classify"] = lambda _: httpx.Response(200, json=sequence_classification("42"))
    assert live.request(client, PNG, [("numbers", "auto")], sequence=True)
    assert live.answers["numbers"].label == "42"
    assert live.model_input is None
    assert [request.url.path for request in service.requests] == ["/classify"]


def test_model_input_of_an_answered_picture_is_not_requested_again(service: FakeService, client: Client) -> None:
    live = LiveAnswers()
    live.request(client, PNG, [("digits", "auto")])
    assert live.find_input(client, PNG, "digits", "auto") is not None
    assert len(service.requests) == 1
    assert live.find_input(client, OTHER_PNG, "digits", "auto") is not None
    assert live.find_input(client, OTHER_PNG, "letters", "auto") is not None
    assert len(service.requests) == 3


def test_failing_service_is_left_alone_for_a_while(service: FakeService, client: Client, clock: FakeClock) -> None:
    live = LiveAnswers()
    service.down = True
    assert not live.request(client, PNG, [("digits", "auto")])
    assert live.find_input(client, PNG, "digits", "auto") is None
    service.down = False
    assert not live.request(client, PNG, [("digits", "auto")])
    assert len(service.requests) == 1
    clock.now += PAUSE_SECONDS
    assert live.request(client, PNG, [("digits", "auto")])


def test_picture_without_ink_is_no_failure(service: FakeService, client: Client) -> None:
    live = LiveAnswers()
    service.replies["/explain"] = lambda _: problem_response(422, "no_ink")
    assert not live.request(client, PNG, [("digits", "auto")])
    service.replies["/explain"] = lambda _: httpx.Response(200, json=explanation())
    assert live.request(client, PNG, [("digits", "auto")])
