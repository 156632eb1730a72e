"""Offers of other models for a rejected picture, on the page run by Streamlit without a browser."""

import re
from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import PNG, FakeService, classification, fashion_model, model, models_response, problem_response
from tests.ui.page_actions import FakeCanvas, html_of

pytestmark = pytest.mark.slow


def reply(request: httpx.Request) -> httpx.Response:
    """Answer as models that read an A: only digits rejects it, signs fails."""
    name = request.url.params["model"]
    if name == "signs":
        return problem_response(504, "deadline")
    labels = {"digits": ("4", 0.6), "letters": ("A", 0.97), "category": ("letter", 0.99)}
    label, confidence = labels[name]
    body = classification(label, model=name, confidence=confidence, rejected=name == "digits")
    return httpx.Response(200, json=body)


@pytest.fixture
def page(service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]) -> AppTest:
    models = models_response("digits", "letters", "category", "signs", others=[fashion_model(), model("a_*b*")])
    service.replies["/models"] = lambda _: httpx.Response(200, json=models)
    service.replies["/classify"] = reply
    fake_canvas.draw(PNG)
    return start()


def offers(page: AppTest) -> list[str]:
    return re.findall('<p class="offer">(.*?)</p>', html_of(page))


def asked(service: FakeService) -> list[str]:
    return [request.url.params["model"] for request in service.requests_to("/classify")]


def test_models_that_accept_a_rejected_picture_are_offered(page: AppTest, service: FakeService) -> None:
    assert offers(page) == ["category reads this as “letter”.", "letters reads this as “A”."]
    assert asked(service)[0] == "digits"
    assert sorted(asked(service)[1:]) == ["category", "letters", "signs"]


def test_offer_is_accepted_with_one_click_and_the_drawing_stays(page: AppTest, service: FakeService) -> None:
    count = len(asked(service))
    page.button(key="switch-letters").click().run()
    assert page.selectbox(key="model").value == "letters"
    assert 'class="label">A</div>' in html_of(page)
    assert offers(page) == []
    assert len(asked(service)) == count  # the answer is known


def test_other_models_are_asked_only_for_rejected_pictures(page: AppTest, service: FakeService) -> None:
    service.requests.clear()
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    page.button(key="ask").click().run()
    assert offers(page) == []
    assert asked(service) == ["digits"]


def test_comparison_model_is_not_offered(page: AppTest) -> None:
    page.selectbox(key="comparison-model").set_value("letters").run()
    assert offers(page) == ["category reads this as “letter”."]


@pytest.mark.parametrize(
    ("category", "confidence", "letter_rejected", "expected"),
    [
        ("drawing", 0.99, False, ["category reads this as “drawing”."]),
        ("letter", 0.99, False, ["letters reads this as “A”."]),
        ("letter", 0.99, True, ["category reads this as “letter”."]),
        ("digit", 0.99, False, []),
        ("drawing", 0.8, False, []),
    ],
)
def test_model_of_another_category_is_offered_for_an_accepted_picture(
    service: FakeService,
    fake_canvas: FakeCanvas,
    start: Callable[[], AppTest],
    category: str,
    confidence: float,
    letter_rejected: bool,
    expected: list[str],
) -> None:
    card = {"labels": ["0", "A", "drawing"], "first": "category:1", "then": {"digit": "digits:1", "letter": "letters:1"}}
    models = models_response("digits", "letters", "category", "signs", others=[model("characters", card=card)])
    service.replies["/models"] = lambda _: httpx.Response(200, json=models)
    answers = {
        "digits": classification("0"),
        "category": classification(category, model="category", confidence=confidence),
        "letters": classification("A", model="letters", rejected=letter_rejected),
    }
    service.replies["/classify"] = lambda request: httpx.Response(200, json=answers[request.url.params["model"]])
    fake_canvas.draw(PNG)
    page = start()
    assert not page.exception
    assert offers(page) == expected
    assert "I do not recognise" not in html_of(page)
