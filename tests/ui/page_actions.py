"""What a visitor does and reads on the page, for tests that run it without a browser; a fake canvas to draw on."""

import re
from html import unescape

from streamlit.testing.v1 import AppTest

from ui.state.drawing import CanvasContent, Drawing, Pen

ADDRESS = "http://127.0.0.1:3999"


class FakeCanvas:
    """Replaces the drawing canvas. Like the real one, it reports what the page puts on it only in the next run."""

    def __init__(self) -> None:
        self.drawing = Drawing()
        self.pens: list[Pen] = []
        self._revision = 0

    def show(self, content: CanvasContent, pen: Pen) -> Drawing:
        """Replaces `ui.components.canvas.show`."""
        reported = self.drawing
        self.pens.append(pen)
        if content.revision != self._revision:
            self._revision = content.revision
            self.drawing = Drawing(content.strokes[-1]["png"], content.strokes) if content.strokes else Drawing()
        return reported

    def draw(self, png: bytes) -> None:
        """Add a stroke; `png` is the picture of the canvas with it."""
        stroke = {"type": "Path", "stroke": "#000000", "path": [["M", png]], "png": png}
        self.drawing = Drawing(png, (*self.drawing.strokes, stroke))


def choose_source(page: AppTest, source: str) -> None:
    """Choose a picture source."""
    page.segmented_control(key="source").set_value(source).run()


def upload(page: AppTest, *files: tuple[str, bytes]) -> None:
    """Upload files, given by name and content."""
    page.file_uploader(key="uploaded-files").set_value([(name, data, "image/png") for name, data in files]).run()


def press(page: AppTest, button: str) -> None:
    """Press a button of the canvas; a second run lets the canvas report its new content."""
    page.button(key=button).click().run()
    page.run()


def open_explanation(page: AppTest) -> None:
    """Open the explanation of the answer."""
    page.session_state["explain"] = True
    page.run()


def is_hidden(page: AppTest, key: str) -> bool:
    """Return whether the container with this key is hidden."""
    return f".st-key-{key}," in html_of(page)


def html_of(page: AppTest) -> str:
    """Return all HTML on the page."""
    return "\n".join(block.proto.body for block in page.get("html"))


def alerts(page: AppTest) -> list[str]:
    """Return the texts of the error boxes."""
    found = re.findall(r'<div class="notice alert" role="alert">(.*?)</div>', html_of(page), re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", alert)) for alert in found]


def count_cards(page: AppTest) -> int:
    """Return how many pictures the gallery shows."""
    return html_of(page).count('class="card"')
