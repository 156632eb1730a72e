"""The page from top to bottom, run by Streamlit without a browser: canvas and service are stand-ins."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui
from tests.ui.service import NO_GPU, OTHER_PNG, PNG, Service, catalogue, classification, problem
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


def written(page: AppTest) -> str:
    """All HTML on the page but the style sheet."""
    return "\n".join(block.proto.body for block in page.get("html"))


def test_nothing_drawn_is_a_hint(page: AppTest, service: Service) -> None:
    assert not page.exception
    assert "Draw on the sheet" in page.info[0].value
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
    assert "Draw on the sheet" in page.info[0].value
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
