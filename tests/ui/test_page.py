"""The page from top to bottom, run by Streamlit without a browser: canvas and service are stand-ins."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui
from tests.ui.service import (
    JPEG,
    NO_GPU,
    OTHER_PNG,
    PNG,
    WEBP,
    Service,
    catalogue,
    characters,
    classification,
    fashion,
    problem,
)
from ui import canvas
from ui import client as clients
from ui.canvas import Drawing

APP = Path(ui.__path__[0]) / "app.py"
ADDRESS = "http://127.0.0.1:3999"


class Hand:
    """Draws on whatever sheet lies there; a new sheet is empty."""

    def __init__(self) -> None:
        self.sheets: dict[int, bytes] = {}
        self.sheet = 0

    def show(self, sheet: int, _brush: int) -> Drawing:
        """Takes the place of `ui.canvas.show`."""
        self.sheet = sheet
        return Drawing(self.sheets.get(sheet))

    def draw(self, png: bytes) -> None:
        """Put a picture on the sheet the page shows."""
        self.sheets[self.sheet] = png


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def start(service: Service, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AppTest]]:
    """Opens the page, each time as another visitor."""
    monkeypatch.setenv("API_ADDRESS", ADDRESS)
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setattr(canvas, "show", hand.show)
    monkeypatch.setattr(clients, "Client", partial(clients.Client, transport=httpx.MockTransport(service)))
    st.cache_resource.clear()
    yield lambda: AppTest.from_file(str(APP), default_timeout=30).run()
    st.cache_resource.clear()


@pytest.fixture
def page(start: Callable[[], AppTest]) -> AppTest:
    return start()


def choose(page: AppTest, source: str) -> None:
    page.segmented_control(key="source").set_value(source).run()


def send(page: AppTest, data: bytes, name: str = "picture.png") -> None:
    page.file_uploader(key="file").upload(name, data).run()


def hidden(page: AppTest, part: str) -> bool:
    return f".st-key-{part}," in written(page)


def written(page: AppTest) -> str:
    """All HTML on the page but the style sheet."""
    return "\n".join(block.proto.body for block in page.get("html"))


def test_nothing_drawn_is_a_hint(page: AppTest, service: Service) -> None:
    assert not page.exception
    assert "Draw a digit on the sheet" in page.info[0].value
    assert "This model knows 0, 1, 2" in written(page)
    assert [request.url.path for request in service.asked] == ["/models"]


def test_a_drawing_is_answered(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    assert not page.exception
    assert service.asked_for("/classify")[0].content == PNG
    assert 'data-label="7"' in written(page)
    assert 'class="stages"' in written(page)
    assert [part.label for part in page.expander] == ["Which ink mattered", "Raw logits"]
    assert not page.info


def test_the_gallery_keeps_each_drawing_once(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    page.button(key="new").click().run()
    assert page.info
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification("4"))
    hand.draw(OTHER_PNG)
    page.run()
    page.run()
    assert written(page).count('class="card"') == 2
    page.button(key="empty").click().run()
    page.run()
    assert 'class="card"' not in written(page)
    assert 'data-label="4"' in written(page)


def test_a_rejected_drawing_is_told_plainly(page: AppTest, hand: Hand, service: Service) -> None:
    reply = classification(rejected=True, reject_reason="Energy <too> low.")
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    hand.draw(PNG)
    page.run()
    assert "This does not look like a digit" in page.warning[0].value
    assert "Energy &lt;too&gt; low." in written(page)
    assert "best guess" in written(page)


def test_no_ink_is_the_same_hint(page: AppTest, hand: Hand, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(422, "no_ink")
    hand.draw(PNG)
    page.run()
    assert "Draw a digit on the sheet" in page.info[0].value
    assert not page.error
    assert not page.warning


def test_a_problem_is_shown_with_its_detail(page: AppTest, hand: Hand, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(429, "overloaded", "Too many requests", "The queue is full.")
    hand.draw(PNG)
    page.run()
    assert page.warning[0].value == "**Too many requests**: The queue is full\\."
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    page.button(key="retry").click().run()
    assert not page.warning
    assert 'data-label="7"' in written(page)


def test_without_an_explanation_the_answer_stands(page: AppTest, hand: Hand, service: Service) -> None:
    service.replies["/explain"] = lambda _: problem(504, "deadline", "Too late", "Not answered in time.")
    hand.draw(PNG)
    page.run()
    assert 'data-label="7"' in written(page)
    assert page.warning[0].value.startswith("**Too late**")


def test_down_and_up_again(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    service.down = True
    page.button(key="new").click().run()
    hand.draw(OTHER_PNG)
    page.run()
    assert f"`{ADDRESS}` does not answer" in page.error[0].value
    assert not page.exception
    assert written(page).count('class="card"') == 1
    service.down = False
    page.button(key="retry").click().run()
    assert not page.error
    assert written(page).count('class="card"') == 2


def test_down_from_the_start(service: Service, start: Callable[[], AppTest]) -> None:
    service.down = True
    page = start()
    assert len(page.error) == 1
    assert page.selectbox(key="no-model").disabled
    service.down = False
    page.button(key="retry").click().run()
    assert not page.error
    assert page.selectbox(key="model").value == "digits"


def test_a_refused_device_is_disabled_with_its_reason(page: AppTest) -> None:
    assert page.radio(key="device").options == ["Automatic", "CPU"]
    refused = page.radio(key="refused-gpu")
    assert refused.disabled
    assert refused.value is None
    assert list(refused.proto.captions) == [NO_GPU]


def test_another_model_and_device_are_asked(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue("digits", "letters"))
    hand.draw(PNG)
    page = start()
    page.selectbox(key="model").set_value("letters").run()
    page.radio(key="device").set_value("cpu").run()
    assert not page.exception
    params = [(r.url.params["model"], r.url.params["device"]) for r in service.asked_for("/classify")]
    assert params == [("digits", "auto"), ("letters", "auto"), ("letters", "cpu")]
    assert written(page).count('class="card"') == 1


def test_a_file_is_answered_and_shown(page: AppTest, service: Service) -> None:
    assert hidden(page, "upload")
    choose(page, "Upload")
    assert hidden(page, "draw")
    assert hidden(page, "brush")
    assert not hidden(page, "upload")
    assert page.info[0].value == "Upload a photo of a digit: the answer appears here."
    send(page, JPEG, "named wrongly.png")
    (request,) = service.asked_for("/classify")
    assert request.content == JPEG
    assert request.headers["Content-Type"] == "image/jpeg"
    assert 'data-label="7"' in written(page)
    assert 'class="sent"' in written(page)
    assert not page.info


def test_a_file_that_is_no_picture_costs_nothing_else(page: AppTest, hand: Hand, service: Service) -> None:
    hand.draw(PNG)
    page.run()
    service.replies["/classify"] = lambda _: problem(415, "unsupported_media", detail="Not PNG")
    choose(page, "Upload")
    send(page, b"no picture")
    assert page.warning[0].value == "**This file is not a picture the service can read**: Not PNG"
    assert [button.key for button in page.button] == ["new", "empty"]  # asking again would not help
    assert 'class="sent"' not in written(page)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification())
    choose(page, "Draw")
    assert not page.warning
    assert 'data-label="7"' in written(page)
    assert written(page).count('class="card"') == 1


def test_a_file_without_ink_is_told_as_the_service_does(page: AppTest, service: Service) -> None:
    service.replies["/classify"] = lambda _: problem(422, "no_ink", detail="Nothing is drawn")
    choose(page, "Upload")
    send(page, WEBP)
    assert page.warning[0].value == "**There is nothing to read on this picture**: Nothing is drawn"
    assert not page.info


def test_files_and_drawings_hang_side_by_side(page: AppTest, hand: Hand) -> None:
    hand.draw(PNG)
    page.run()
    choose(page, "Upload")
    send(page, JPEG)
    send(page, WEBP)
    assert written(page).count('class="card"') == 3
    choose(page, "Draw")
    hand.draw(OTHER_PNG)
    page.run()
    assert written(page).count('class="card"') == 3


def test_the_camera_is_asked_for_only_when_chosen(page: AppTest, service: Service) -> None:
    assert not page.camera_input
    choose(page, "Camera")
    assert page.info[0].value == "Take a photo of a digit: the answer appears here."
    page.camera_input(key="camera").upload("photo.jpg", JPEG).run()
    assert service.asked_for("/classify")[0].headers["Content-Type"] == "image/jpeg"
    assert 'data-label="7"' in written(page)
    choose(page, "Draw")
    assert not page.camera_input


def test_choosing_the_chosen_source_again_changes_nothing(page: AppTest) -> None:
    choose(page, "Upload")
    page.segmented_control(key="source").set_value(None).run()
    assert page.segmented_control(key="source").value == "Upload"
    assert hidden(page, "draw")


def test_each_model_offers_what_it_can_read(service: Service, hand: Hand, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[characters(), fashion()]))
    page = start()
    hand.draw(PNG)
    page.selectbox(key="model").set_value("characters").run()
    assert page.segmented_control(key="source").value == "Draw"
    assert service.asked_for("/classify")[-1].content == PNG

    page.selectbox(key="model").set_value("fashion").run()
    assert [option.split()[-1] for option in page.segmented_control(key="source").options] == ["Upload", "Camera"]
    assert hidden(page, "draw")
    assert page.info[0].value == "Upload a photo: the answer appears here."
    assert "This model knows T-shirt/top, Trouser" in written(page)
    assert len(service.asked_for("/classify")) == 1
    send(page, JPEG)
    assert service.asked_for("/classify")[-1].url.params["model"] == "fashion"
    assert "Which parts mattered" in [part.label for part in page.expander]

    # Nobody chose to upload: drawing is where the next model of ink begins, and the drawing is there.
    page.selectbox(key="model").set_value("digits").run()
    assert page.segmented_control(key="source").value == "Draw"
    assert service.asked_for("/classify")[-1].content == PNG
    assert not page.exception


def test_a_file_stays_for_the_next_model(service: Service, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[fashion()]))
    page = start()
    choose(page, "Upload")
    send(page, JPEG)
    for name in ("fashion", "digits"):
        page.selectbox(key="model").set_value(name).run()
        assert page.segmented_control(key="source").value == "Upload"
        assert service.asked_for("/classify")[-1].content == JPEG
    assert [r.url.params["model"] for r in service.asked_for("/classify")] == ["digits", "fashion", "digits"]
    assert written(page).count('class="card"') == 1


def test_what_is_like_no_piece_of_many(service: Service, start: Callable[[], AppTest]) -> None:
    service.replies["/models"] = lambda _: httpx.Response(200, json=catalogue(others=[fashion()]))
    service.replies["/classify"] = lambda _: httpx.Response(200, json=classification(model="fashion", rejected=True))
    page = start()
    page.selectbox(key="model").set_value("fashion").run()
    send(page, JPEG)
    assert "This does not look like anything fashion was made for." in page.warning[0].value


def test_of_many_classes_the_likeliest_come_first(page: AppTest, hand: Hand, service: Service) -> None:
    shares = {chr(code): 0.01 for code in range(ord("A"), ord("Z") + 1)} | {"Q": 0.75}
    reply = classification("Q", probabilities=shares)
    service.replies["/classify"] = lambda _: httpx.Response(200, json=reply)
    hand.draw(PNG)
    page.run()
    assert page.expander[0].label == "All 26 classes"
    likeliest, everything = (block.proto.body for block in page.get("html") if 'class="bars' in block.proto.body)
    assert likeliest.count("<li") == 10
    assert likeliest.index("<li") == likeliest.index('<li class="bar winner"')
    assert everything.count("<li") == 26
