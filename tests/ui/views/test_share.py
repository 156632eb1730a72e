"""The link to share: it is made, opened, and refused when damaged."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

import ui
from tests.ui.fake_service import PNG, FakeService
from tests.ui.page_actions import FakeCanvas, alerts, html_of
from ui.images.polyline import Polyline
from ui.state.shared_drawing import SharedDrawing, decode, encode

pytestmark = pytest.mark.slow

DRAWING = SharedDrawing((Polyline(((80, 65), (200, 65), (128, 225)), 12, "#ff0000"),), "#101010")


def open_link(text: str) -> AppTest:
    """Open the page with a drawing in its address."""
    page = AppTest.from_file(str(Path(ui.__path__[0]) / "app.py"), default_timeout=60)
    page.query_params["drawing"] = text
    page.run()
    return page.run()  # the canvas reports what is on it


def test_link_has_the_model_and_the_drawing(page: AppTest, fake_canvas: FakeCanvas) -> None:
    fake_canvas.draw(PNG)
    page.run()
    (link,) = [code.value for code in page.code if "drawing=" in code.value]
    parameters = parse_qs(urlsplit(link).query)
    assert parameters["model"] == ["digits"]
    shared = decode(parameters["drawing"][0])
    assert [(stroke.width, stroke.colour) for stroke in shared.strokes] == [(20, "#000000")]
    assert shared.background == "#ffffff"


@pytest.mark.usefixtures("start")
def test_opened_link_puts_the_drawing_on_the_sheet(fake_canvas: FakeCanvas, service: FakeService) -> None:
    page = open_link(encode(DRAWING))
    assert not page.exception
    assert 'data-label="7"' in html_of(page)
    assert len(fake_canvas.drawing.strokes) == 1
    assert fake_canvas.drawing.strokes[0]["stroke"] == "#ff0000"
    pen = fake_canvas.pens[-1]
    assert (pen.width, pen.ink, pen.background) == (12, "#ff0000", "#101010")
    assert len(service.requests_to("/classify")) == 1


@pytest.mark.parametrize("text", ["", "x", encode(DRAWING)[:-3], "A" * 5_000, "<script>"])
@pytest.mark.usefixtures("start")
def test_damaged_link_gives_a_sentence_and_an_empty_sheet(text: str, fake_canvas: FakeCanvas) -> None:
    page = open_link(text)
    assert not page.exception
    assert alerts(page)[0].startswith("The drawing in this link is damaged")
    assert "Draw a digit on the canvas" in html_of(page)
    fake_canvas.draw(PNG)
    page.run()
    assert not alerts(page)
    fake_canvas.clear()
    page.run()
    assert not alerts(page)
