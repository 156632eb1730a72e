"""The whole page with a drawing: answers, canvas buttons, errors and outages."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from tests.ui.fake_service import (
    NO_GPU,
    OTHER_PNG,
    PNG,
    WEBP,
    FakeGallery,
    FakeService,
    characters_model,
    classification,
    explanation,
    fashion_model,
    models_response,
    problem_response,
)
from tests.ui.page_actions import (
    ADDRESS,
    FakeCanvas,
    alerts,
    choose_source,
    count_cards,
    html_of,
    is_hidden,
    open_explanation,
    owned,
    set_open,
)
from ui.state.drawing import Pen

pytestmark = pytest.mark.slow


def test_empty_canvas_shows_a_hint(page: AppTest, service: FakeService) -> None:
    assert not page.exception
    assert "Draw a digit on the canvas" in html_of(page)
    assert "This model knows: 0, 1, 2" in html_of(page)
    assert [request.url.path for request in service.requests] == ["/models"]


def test_drawing_is_classified(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    assert not page.exception
    assert service.requests_to("/classify")[0].content == PNG
    assert 'data-label="7"' in html_of(page)
    assert "almost certain" in html_of(page)
    assert "Draw a digit on the canvas" not in html_of(page)


def test_code_examples_name_the_address_that_visitors_use(
    page: AppTest, fake_canvas: FakeCanvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_API_ADDRESS", "https://draw.example.org:3000")
    page.session_state["code"] = True
    fake_canvas.draw(PNG)
    page.run()
    examples = [example.value for example in page.code if "drawing=" not in example.value]
    assert examples
    assert all("https://draw.example.org:3000" in example for example in examples)


def heat_maps(service: FakeService) -> list[httpx.Request]:
    """Return the requests for an explanation with its heat map; what the model sees is requested without."""
    return [request for request in service.requests_to("/explain") if request.url.params.get("heatmap") != "false"]


def test_explanation_is_requested_only_while_open(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    assert not heat_maps(service)
    open_explanation(page)
    assert 'class="stages"' in html_of(page)
    assert "Which strokes mattered" in html_of(page)
    assert "+9.10" in html_of(page)
    service.replies["/explain"] = lambda _: httpx.Response(200, json=explanation("4", logits={"4": -3}))
    fake_canvas.draw(OTHER_PNG)
    page.run()
    assert [request.content for request in heat_maps(service)] == [PNG, OTHER_PNG]
    assert "-3.00" in html_of(page)
    set_open(page, "explain", opened=False)
    assert 'class="stages"' not in html_of(page)


def test_failed_explanation_keeps_the_answer(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    service.replies["/explain"] = lambda _: problem_response(504, "deadline", "Too late", "Not answered in time.")
    fake_canvas.draw(PNG)
    page.run()
    open_explanation(page)
    assert 'data-label="7"' in html_of(page)
    (alert,) = alerts(page)
    assert alert.startswith("The service did not answer in time. Try again in a moment.")
    assert alert.endswith("Details Not answered in time. Reference for the operator: ID")
    service.replies["/explain"] = lambda _: httpx.Response(200, json=explanation())
    page.button(key="retry-explain").click().run()
    assert not alerts(page)
    assert 'class="stages"' in html_of(page)


def test_gallery_shows_each_drawing_once(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    fake_canvas.clear()
    page.run()
    assert "Draw a digit on the canvas" in html_of(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("4"))
    fake_canvas.draw(OTHER_PNG)
    page.run()
    fake_canvas.draw(WEBP)
    page.run()
    assert count_cards(page) == 2
    page.button(key="clear-session").click().run()
    page.run()
    assert count_cards(page) == 0
    assert 'data-label="4"' in html_of(page)


def test_undo_removes_the_last_stroke(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    for png in (PNG, OTHER_PNG):
        fake_canvas.draw(png)
        page.run()
    fake_canvas.undo()
    page.run()
    assert [request.content for request in service.requests_to("/classify")] == [PNG, OTHER_PNG, PNG]
    assert count_cards(page) == 1
    fake_canvas.undo()
    page.run()
    assert "Draw a digit on the canvas" in html_of(page)


def test_pen_settings_reach_the_canvas(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    page.slider(key="pen-width").set_value(12).run()
    page.color_picker(key="ink").set_value("#ffffff").run()
    assert [caption for caption in page.caption if "look the same" in caption.value]
    page.color_picker(key="background").set_value("#102030").run()
    page.run()
    assert fake_canvas.pens[-1] == Pen(12, "#ffffff", "#102030")
    assert not [caption for caption in page.caption if "look the same" in caption.value]
    assert count_cards(page) == 1
    assert len(service.requests_to("/classify")) == 1


def test_ask_again_requests_a_new_answer(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("4", version="1.1.0"))
    page.run()
    assert 'data-label="7"' in html_of(page)
    page.button(key="ask").click().run()
    assert 'class="headline" data-label="7"' not in html_of(page)
    assert 'class="headline" data-label="4"' in html_of(page)
    assert count_cards(page) == 1


def test_enter_asks_again(page: AppTest, fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page.run()
    assert page.button(key="ask").proto.shortcut.lower() == "enter"
    choose_source(page, "upload")
    assert is_hidden(page, "tools")


def test_rejected_drawing_shows_reason_and_advice(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    reply = classification(rejected=True, reject_reason="Energy <too> low.")
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    fake_canvas.draw(PNG)
    page.run()
    assert "I do not recognise this." in html_of(page)
    assert "It might be 7." in html_of(page)
    assert "large and with thick strokes, or choose another model" in html_of(page)
    assert "<dt>Why it was not recognised</dt> <dd>Energy &lt;too&gt; low.</dd>" in html_of(page)
    assert 'class="bar predicted"' not in html_of(page)


def test_no_ink_shows_the_hint(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    service.replies["/classify"] = lambda _: problem_response(422, "no_ink")
    fake_canvas.draw(PNG)
    page.run()
    assert "Draw a digit on the canvas" in html_of(page)
    assert not alerts(page)


def test_service_error_is_shown_with_retry(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    service.replies["/classify"] = lambda _: problem_response(429, "overloaded", "Too many requests", "The queue is full.")
    fake_canvas.draw(PNG)
    page.run()
    assert alerts(page) == [
        "Too many pictures at once. Try again in a moment. Details The queue is full. Reference for the operator: ID"
    ]
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    page.button(key="retry").click().run()
    assert not alerts(page)
    assert 'data-label="7"' in html_of(page)


def test_outage_and_recovery(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    fake_canvas.draw(PNG)
    page.run()
    service.down = True
    fake_canvas.clear()
    fake_canvas.draw(OTHER_PNG)
    page.run()
    assert f"{ADDRESS} does not answer: no connection" in alerts(page)[0]
    assert not page.exception
    assert count_cards(page) == 1
    assert page.button(key="retry").proto.shortcut.lower() == "enter"
    assert not service.requests_to("/readyz")  # only after a moment
    service.down = False
    page.button(key="retry").click().run()
    assert not alerts(page)
    assert count_cards(page) == 2


def test_outage_at_the_start(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.down = True
    page = start()
    assert len(alerts(page)) == 1
    assert len(service.requests) == 1  # one request per run
    assert page.selectbox(key="no-model").disabled
    service.down = False
    page.button(key="retry").click().run()
    assert not alerts(page)
    assert page.selectbox(key="model").value == "digits"


def test_unavailable_device_has_a_sentence_and_its_reason(page: AppTest) -> None:
    assert owned(page.radio, "device").options == ["Automatic", "CPU"]
    assert len(page.radio) == 1
    assert "This server cannot use a GPU." in html_of(page)
    assert f"<details><summary>Details</summary>{NO_GPU}</details>" in html_of(page)


def test_chosen_model_and_device_are_used(service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    fake_canvas.draw(PNG)
    page = start()
    page.selectbox(key="model").set_value("letters").run()
    owned(page.radio, "device").set_value("cpu").run()
    assert not page.exception
    params = [(r.url.params["model"], r.url.params["device"]) for r in service.requests_to("/classify")]
    assert params == [("digits", "auto"), ("letters", "auto"), ("letters", "cpu")]
    assert count_cards(page) == 1


def classify_reply(request: httpx.Request) -> httpx.Response:
    """Answer as a model of digits and a model of letters."""
    model = request.url.params["model"]
    return httpx.Response(200, json=classification("7" if model == "digits" else "T", model=model))


def test_comparison_model_answers_side_by_side(
    service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]
) -> None:
    service.replies["/models"] = lambda _: httpx.Response(
        200, json=models_response("digits", "letters", others=[fashion_model()])
    )
    service.replies["/classify"] = classify_reply
    fake_canvas.draw(PNG)
    page = start()
    assert page.selectbox(key="comparison-model").options == ["letters"]  # models of other pictures cannot be compared
    page.selectbox(key="comparison-model").set_value("letters").run()
    assert [r.url.params["model"] for r in service.requests_to("/classify")] == ["digits", "letters"]
    text = html_of(page)
    assert text.index('data-model="digits"') < text.index('data-label="7"') < text.index('data-model="letters"')
    assert 'data-label="T"' in text
    assert count_cards(page) == 1

    # It also classifies the next stroke. It is deselected when it becomes the chosen model itself.
    fake_canvas.draw(OTHER_PNG)
    page.run()
    assert [r.url.params["model"] for r in service.requests_to("/classify")[2:]] == ["digits", "letters"]
    page.selectbox(key="model").set_value("letters").run()
    assert page.selectbox(key="comparison-model").value is None
    assert html_of(page).count("data-model=") == 1


def test_one_of_two_models_fails(service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response("digits", "letters"))
    service.replies["/classify"] = lambda request: (
        classify_reply(request) if request.url.params["model"] == "digits" else problem_response(504, "deadline")
    )
    fake_canvas.draw(PNG)
    page = start()
    page.selectbox(key="comparison-model").set_value("letters").run()
    assert 'data-label="7"' in html_of(page)
    assert "did not answer in time" in alerts(page)[0]
    keys = {key: page.button(key=key).proto.shortcut.lower() for key in ("ask", "retry-letters")}
    assert keys == {"ask": "enter", "retry-letters": ""}
    service.replies["/classify"] = classify_reply
    page.button(key="retry-letters").click().run()
    assert not alerts(page)
    assert 'data-label="T"' in html_of(page)


def test_many_classes_show_the_most_likely_first(page: AppTest, fake_canvas: FakeCanvas, service: FakeService) -> None:
    probabilities = {chr(code): 0.01 for code in range(ord("A"), ord("Z") + 1)} | {"Q": 0.75}
    reply = classification("Q", probabilities=probabilities)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    fake_canvas.draw(PNG)
    page.run()
    (text,) = (block.proto.body for block in page.get("html") if 'class="bars' in block.proto.body)
    most_likely, others = text.split("<details")
    assert most_likely.count("<li") == 10
    assert most_likely.index("<li") == most_likely.index('<li class="bar predicted"')
    assert "The other 16: at most 1.0% each" in others and others.count("<li") == 16


def test_cascade_shows_its_category(service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=models_response(others=[characters_model()]))
    reply = classification(model="characters", category={"label": "digit", "confidence": 0.97})
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    page = start()
    fake_canvas.draw(PNG)
    page.selectbox(key="model").set_value("characters").run()
    assert '<span class="muted">digit</span>' in html_of(page)
    assert "<dt>Category</dt> <dd>digit, 97.0%</dd>" in html_of(page)


@pytest.mark.parametrize(
    ("code", "hint", "confidence"), [("ko", "캔버스에 숫자 하나를 그려 보세요", "거의 확실"), ("en", "Draw a digit", "almost")]
)
def test_change_of_language_keeps_drawing_and_answer(
    page: AppTest, fake_canvas: FakeCanvas, service: FakeService, code: str, hint: str, confidence: str
) -> None:
    owned(page.segmented_control, "language-control").set_value(code).run()
    assert hint in html_of(page)
    fake_canvas.draw(PNG)
    page.run()
    assert confidence in html_of(page)
    other = "en" if code == "ko" else "ko"
    owned(page.segmented_control, "language-control").set_value(other).run()
    assert owned(page.segmented_control, "language-control").value == other
    assert confidence not in html_of(page)
    assert 'data-label="7"' in html_of(page)
    assert page.query_params["lang"] == other
    assert len(service.requests_to("/classify")) == 1
    assert not page.exception


def test_gallery_has_the_same_position_with_and_without_an_answer(
    service: FakeService, fake_canvas: FakeCanvas, start: Callable[[], AppTest]
) -> None:
    # After an interruption Streamlit sends a nested fragment to its old position, even if the elements before it were dropped.
    service.gallery = FakeGallery()
    page = start()
    before = gallery_position(page)
    fake_canvas.draw(PNG)
    page.run()
    assert 'data-label="7"' in html_of(page)
    assert gallery_position(page) == before


def gallery_position(page: AppTest) -> int:
    """Return the index of the gallery in its parent block."""
    (part,) = (child for child in page.main.children.values() if child.get("toggle"))
    assert isinstance(part, Block)
    (position,) = (index for index, child in part.children.items() if child.get("toggle"))
    return position
