"""A visitor without a browser: a hand that draws, and what it does and reads on the page as Streamlit runs it."""

import re
from html import unescape

from streamlit.testing.v1 import AppTest

from ui.canvas import Drawing, Pen, Start

ADDRESS = "http://127.0.0.1:3999"


class Hand:
    """Draws on the sheet. Like a canvas, it tells what the page put there only with the run after."""

    def __init__(self) -> None:
        self.drawing = Drawing()
        self.pens: list[Pen] = []
        self._edition = 0

    def show(self, start: Start, pen: Pen) -> Drawing:
        """Takes the place of `ui.canvas.show`."""
        told = self.drawing
        self.pens.append(pen)
        if start.edition != self._edition:
            self._edition = start.edition
            self.drawing = Drawing(start.strokes[-1]["png"], start.strokes) if start.strokes else Drawing()
        return told

    def draw(self, png: bytes) -> None:
        """Add a stroke, with which the sheet looks like this picture."""
        stroke = {"type": "Path", "stroke": "#000000", "path": [["M", png]], "png": png}
        self.drawing = Drawing(png, (*self.drawing.strokes, stroke))


def choose(page: AppTest, source: str) -> None:
    """Take pictures from another source."""
    page.segmented_control(key="source").set_value(source).run()


def send(page: AppTest, *files: tuple[str, bytes]) -> None:
    """Choose files, by name and content."""
    page.file_uploader(key="files-sent").set_value([(name, data, "image/png") for name, data in files]).run()


def press(page: AppTest, button: str) -> None:
    """Press a button of the sheet, and let the canvas tell what became of it."""
    page.button(key=button).click().run()
    page.run()


def explain(page: AppTest) -> None:
    """Open the part that tells how the answer came about."""
    page.session_state["explain"] = True
    page.run()


def hidden(page: AppTest, part: str) -> bool:
    """Whether a part of the page is out of sight."""
    return f".st-key-{part}," in written(page)


def written(page: AppTest) -> str:
    """All HTML on the page but the style sheet."""
    return "\n".join(block.proto.body for block in page.get("html"))


def alerts(page: AppTest) -> list[str]:
    """What the page says went wrong, without markup."""
    found = re.findall(r'<div class="doubt alert" role="alert">(.*?)</div>', written(page), re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", alert)) for alert in found]


def cards(page: AppTest) -> int:
    """How many pictures hang in the gallery."""
    return written(page).count('class="card"')
