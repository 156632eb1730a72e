"""The page while the visitor draws: answers, what goes with the sheet, refusals, a service that goes away."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from tests.ui.service import (
    NO_GPU,
    OTHER_PNG,
    PNG,
    WEBP,
    Gallery,
    Service,
    catalogue,
    characters,
    classification,
    explanation,
    fashion,
    problem,
)
from tests.ui.visitor import ADDRESS, Hand, alerts, cards, choose, explain, hidden, press, written
from ui.canvas import Pen


def test_nothing_drawn_is_a_hint(page: AppTest, service: Service) -> None:
    assert not page.exception
    assert "Draw a digit on the sheet" in written(page)
    assert "This model knows 0, 1, 2" in written(page)
    assert page.button(key="clear").disabled
    assert page.button(key="undo").disabled
    assert [request.url.path for request in service.asked] == ["/models"]


def test_a_drawing_is_answered(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    assert not page.exception
    assert service.asked_for("/classify")[0].content == PNG
    assert 'data-label="7"' in written(page)
    assert "almost certain" in written(page)
    assert "Draw a digit on the sheet" not in written(page)


def test_how_an_answer_came_about_is_asked_for_only_while_that_is_open(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    assert not service.asked_for("/explain")
    explain(page)
    assert 'class="stages"' in written(page)
    assert "Which ink mattered" in written(page)
    assert "+9.10" in written(page)
    service.replies["/explain"] = lambda _: httpx.Response(200, json=explanation("4", logits={"4": -3}))
    hand.draw(OTHER_PNG)
    page.run()
    assert [request.content for request in service.asked_for("/explain")] == [PNG, OTHER_PNG]
    assert "-3.00" in written(page)
    page.session_state["explain"] = False
    page.run()
    assert 'class="stages"' not in written(page)


def test_without_an_explanation_the_answer_stands(page: AppTest, hand: Hand, service: Service) -> None:
    service.replies["/explain"] = lambda _: problem(504, "deadline", "Too late", "Not answered in time.")
    hand.draw(PNG)
    page.run()
    explain(page)
    assert 'data-label="7"' in written(page)
    assert alerts(page) == ["The service did not answer in time: Not answered in time."]
    service.replies["/explain"] = lambda _: httpx.Response(200, json=explanation())
    page.button(key="retry-explain").click().run()
    assert not alerts(page)
    assert 'class="stages"' in written(page)


def test_the_gallery_keeps_each_drawing_once(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    press(page, "clear")
    assert "Draw a digit on the sheet" in written(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("4"))
    hand.draw(OTHER_PNG)
    page.run()
    hand.draw(WEBP)
    page.run()
    assert cards(page) == 2
    page.button(key="empty").click().run()
    page.run()
    assert cards(page) == 0
    assert 'data-label="4"' in written(page)


def test_undo_takes_the_last_stroke_back(page: AppTest, hand: Hand, service: Service) -> None:
    for png in (PNG, OTHER_PNG):
        hand.draw(png)
        page.run()
    press(page, "undo")
    assert [request.content for request in service.asked_for("/classify")] == [PNG, OTHER_PNG, PNG]
    assert cards(page) == 1
    press(page, "undo")
    assert "Draw a digit on the sheet" in written(page)
    assert page.button(key="undo").disabled


def test_the_sheet_is_cleared_at_once(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    page.button(key="clear").click().run()
    assert "Draw a digit on the sheet" in written(page)
    assert len(service.asked_for("/classify")) == 1


def test_pen_and_colours(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    page.slider(key="brush").set_value(12).run()
    page.color_picker(key="ink").set_value("#ffffff").run()
    assert [caption for caption in page.caption if "look the same" in caption.value]
    page.color_picker(key="paper").set_value("#102030").run()
    page.run()
    assert hand.pens[-1] == Pen(12, "#ffffff", "#102030")
    assert [stroke["stroke"] for stroke in hand.drawing.strokes] == ["#ffffff"]
    assert not [caption for caption in page.caption if "look the same" in caption.value]
    assert cards(page) == 1
    assert len(service.asked_for("/classify")) == 1


def test_asked_again(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("4", version="1.1.0"))
    page.run()
    assert 'data-label="7"' in written(page)
    page.button(key="ask").click().run()
    assert 'data-label="7"' not in written(page)
    assert 'data-label="4"' in written(page)
    assert cards(page) == 1


def test_keys(page: AppTest, hand: Hand) -> None:
    hand.draw(PNG)
    page.run()
    keys = {key: page.button(key=key).proto.shortcut.lower() for key in ("clear", "undo", "ask")}
    assert keys == {"clear": "delete", "undo": "ctrl+z", "ask": "enter"}
    choose(page, "upload")
    assert page.button(key="clear").disabled  # Delete must not empty a sheet that is out of sight
    assert hidden(page, "tools")


def test_a_rejected_drawing_is_told_plainly(page: AppTest, hand: Hand, service: Service) -> None:
    reply = classification(rejected=True, reject_reason="Energy <too> low.")
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    hand.draw(PNG)
    page.run()
    assert "This does not look like a digit." in written(page)
    assert "large and in firm strokes, or choose another model" in written(page)
    assert "Energy &lt;too&gt; low." in written(page)
    assert "best guess" in written(page)


def test_no_ink_is_the_same_hint(page: AppTest, hand: Hand, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(422, "no_ink")
    hand.draw(PNG)
    page.run()
    assert "Draw a digit on the sheet" in written(page)
    assert not alerts(page)


def test_a_problem_is_shown_with_its_detail(page: AppTest, hand: Hand, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(429, "overloaded", "Too many requests", "The queue is full.")
    hand.draw(PNG)
    page.run()
    assert alerts(page) == ["The service has too much to do: The queue is full."]
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    page.button(key="retry").click().run()
    assert not alerts(page)
    assert 'data-label="7"' in written(page)


def test_down_and_up_again(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    service.down = True
    press(page, "clear")
    hand.draw(OTHER_PNG)
    page.run()
    assert f"{ADDRESS} does not answer: no connection" in alerts(page)[0]
    assert not page.exception
    assert cards(page) == 1
    assert page.button(key="retry").proto.shortcut.lower() == "enter"
    service.down = False
    page.button(key="retry").click().run()
    assert not alerts(page)
    assert cards(page) == 2


def test_down_from_the_start(service: Service, start: Callable[[], AppTest]) -> None:
    service.down = True
    page = start()
    assert len(alerts(page)) == 1
    assert len(service.asked) == 1  # one run asks once
    assert page.selectbox(key="no-model").disabled
    service.down = False
    page.button(key="retry").click().run()
    assert not alerts(page)
    assert page.selectbox(key="model").value == "digits"


def test_a_refused_device_is_disabled_with_its_reason(page: AppTest) -> None:
    assert page.radio(key="device").options == ["Automatic", "CPU"]
    refused = page.radio(key="refused-gpu")
    assert refused.disabled
    assert refused.value is None
    assert f'<p class="quiet reason">{NO_GPU}</p>' in written(page)


def test_another_model_and_device_are_asked(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue("digits", "letters"))
    hand.draw(PNG)
    page = start()
    page.selectbox(key="model").set_value("letters").run()
    page.radio(key="device").set_value("cpu").run()
    assert not page.exception
    params = [(r.url.params["model"], r.url.params["device"]) for r in service.asked_for("/classify")]
    assert params == [("digits", "auto"), ("letters", "auto"), ("letters", "cpu")]
    assert cards(page) == 1


def answer_of(request: httpx.Request) -> httpx.Response:
    """What a digit and a letter model make of the same picture."""
    model = request.url.params["model"]
    return httpx.Response(200, json=classification("7" if model == "digits" else "T", model=model))


def test_two_models_side_by_side(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue("digits", "letters", others=[fashion()]))
    service.replies["/classify"] = answer_of
    hand.draw(PNG)
    page = start()
    assert page.selectbox(key="rival").options == ["letters"]  # what is not drawn cannot be compared
    page.selectbox(key="rival").set_value("letters").run()
    assert [r.url.params["model"] for r in service.asked_for("/classify")] == ["digits", "letters"]
    text = written(page)
    assert text.index('data-model="digits"') < text.index('data-label="7"') < text.index('data-model="letters"')
    assert 'data-label="T"' in text
    assert cards(page) == 1

    # The other is asked on as the drawing goes on, and no longer once it is itself the chosen one.
    hand.draw(OTHER_PNG)
    page.run()
    assert [r.url.params["model"] for r in service.asked_for("/classify")[2:]] == ["digits", "letters"]
    page.selectbox(key="model").set_value("letters").run()
    assert page.selectbox(key="rival").value is None
    assert written(page).count("data-model=") == 1


def test_of_two_models_one_may_fail(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue("digits", "letters"))
    service.replies["/classify"] = lambda request: (
        answer_of(request) if request.url.params["model"] == "digits" else problem(504, "deadline")
    )
    hand.draw(PNG)
    page = start()
    page.selectbox(key="rival").set_value("letters").run()
    assert 'data-label="7"' in written(page)
    assert "did not answer in time" in alerts(page)[0]
    keys = {key: page.button(key=key).proto.shortcut.lower() for key in ("ask", "retry-letters")}
    assert keys == {"ask": "enter", "retry-letters": ""}
    service.replies["/classify"] = answer_of
    page.button(key="retry-letters").click().run()
    assert not alerts(page)
    assert 'data-label="T"' in written(page)


def test_of_many_classes_the_likeliest_come_first(page: AppTest, hand: Hand, service: Service) -> None:
    shares = {chr(code): 0.01 for code in range(ord("A"), ord("Z") + 1)} | {"Q": 0.75}
    reply = classification("Q", probabilities=shares)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    hand.draw(PNG)
    page.run()
    assert page.expander[0].label == "All 26 classes"
    likeliest, everything = (block.proto.body for block in page.get("html") if 'class="bars' in block.proto.body)
    likeliest = likeliest[likeliest.index('class="bars') :]
    assert likeliest.count("<li") == 10
    assert likeliest.index("<li") == likeliest.index('<li class="bar winner"')
    assert everything.count("<li") == 26


def test_a_cascade_tells_its_category(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[characters()]))
    reply = classification(model="characters", category={"label": "digit", "confidence": 0.97})
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    page = start()
    hand.draw(PNG)
    page.selectbox(key="model").set_value("characters").run()
    assert "category digit, 97.0%" in written(page)


@pytest.mark.parametrize(
    ("code", "request_", "words"), [("ko", "종이에 숫자 하나를 그려 보세요", "거의 확실"), ("en", "Draw a digit", "almost")]
)
def test_another_language_keeps_everything(
    page: AppTest, hand: Hand, service: Service, code: str, request_: str, words: str
) -> None:
    page.segmented_control(key="tongue").set_value(code).run()
    assert request_ in written(page)
    hand.draw(PNG)
    page.run()
    assert words in written(page)
    other = "en" if code == "ko" else "ko"
    page.segmented_control(key="tongue").set_value(other).run()
    assert page.segmented_control(key="tongue").value == other
    assert words not in written(page)
    assert 'data-label="7"' in written(page)
    assert page.query_params["lang"] == other
    assert len(service.asked_for("/classify")) == 1
    assert not page.exception


def test_the_gallery_has_the_same_place_with_and_without_an_answer(
    service: Service, hand: Hand, start: Callable[[], AppTest]
) -> None:
    # Streamlit delivers a nested fragment where it was, even when what lay before it is dropped for an interruption.
    service.gallery = Gallery()
    page = start()
    before = place_of_the_gallery(page)
    hand.draw(PNG)
    page.run()
    assert 'data-label="7"' in written(page)
    assert place_of_the_gallery(page) == before


def place_of_the_gallery(page: AppTest) -> int:
    """Which child of the part that a stroke runs it is."""
    (part,) = (child for child in page.main.children.values() if child.get("toggle"))
    assert isinstance(part, Block)
    (place,) = (place for place, child in part.children.items() if child.get("toggle"))
    return place
