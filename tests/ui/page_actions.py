"""What a visitor does and reads on the page, for tests that run it without a browser; a fake canvas to draw on."""

import re
from collections.abc import Iterable
from html import unescape
from typing import TypeVar
from zlib import crc32

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from tests.ui.fake_service import PNG
from ui.images.polyline import SQUARE_SHEET
from ui.state.drawing import WIDE_SHEET, CanvasContent, Drawing, Pen, Stroke
from ui.state.widget_state import widget_key

ADDRESS = "http://127.0.0.1:3999"


class FakeCanvas:
    """Replaces the drawing canvas. Like the real one, it reports what the page puts on it only in the next run."""

    def __init__(self) -> None:
        self.drawing = Drawing()
        self.pens: list[Pen] = []

    def show(self, content: CanvasContent, pen: Pen, *, wide: bool = False) -> Drawing:
        """Replaces `ui.components.canvas.show`."""
        reported = self.drawing
        self.pens.append(pen)
        self._size = WIDE_SHEET if wide else SQUARE_SHEET
        if content.revision != self.drawing.revision:
            self._report(content.strokes, content.revision)
        return reported

    def draw(self, png: bytes) -> None:
        """Add a stroke; `png` is the picture of the canvas with it."""
        x = crc32(png) % 280  # another picture has another path
        stroke = {"path": [["M", x, 20], ["L", x, 200]], "strokeWidth": 20, "stroke": "#000000", "eraser": False, "png": png}
        self._report((*self.drawing.strokes, stroke))

    def undo(self) -> None:
        """Remove the last stroke, as the button of the canvas does."""
        self._report(self.drawing.strokes[:-1])

    def clear(self) -> None:
        """Remove all strokes, as the button of the canvas does."""
        self._report(())

    def _report(self, strokes: tuple[Stroke, ...], revision: str | None = None) -> None:
        begins = bool(strokes) and not self.drawing.strokes
        self._count += begins
        revision = self.drawing.revision if revision is None else revision
        png, number = strokes[-1].get("png", PNG) if strokes else None, max(self._count - 1, 0)
        self.drawing = Drawing(png, strokes, number, revision, size=self._size)

    _count = 0
    _size = SQUARE_SHEET


W = TypeVar("W", bound=Widget)


def owned(widgets: Iterable[W], name: str) -> W:
    """Return the widget with this name whose value the page owns; its key has a number when it has replaced another one."""
    (widget,) = (each for each in widgets if re.fullmatch(rf"{re.escape(name)}(-\d+)?", each.key or ""))
    return widget


def set_open(page: AppTest, name: str, *, opened: bool = True) -> None:
    """Open or close the popover or expander with this name, as the visitor does."""
    page.session_state[_current_key(page, name)] = opened
    page.run()


def is_open(page: AppTest, name: str) -> bool:
    """Return whether the popover or expander with this name is open."""
    return bool(page.session_state[_current_key(page, name)])


def _current_key(page: AppTest, name: str) -> str:
    memory, state = f"{name}-number", page.session_state
    return widget_key(name, state[memory]) if memory in state else name


def choose_source(page: AppTest, source: str) -> None:
    """Choose a picture source."""
    owned(page.segmented_control, "source").set_value(source).run()


def upload(page: AppTest, *files: tuple[str, bytes]) -> None:
    """Upload files, given by name and content."""
    page.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()


def press(page: AppTest, button: str) -> None:
    """Press a button; a second run lets the canvas report what the page has put on it."""
    page.button(key=button).click().run()
    page.run()


def open_explanation(page: AppTest) -> None:
    """Open the explanation of the answer."""
    set_open(page, "explain")


def is_hidden(page: AppTest, key: str) -> bool:
    """Return whether the container with this key is hidden."""
    return f".st-key-{key}," in html_of(page)


def html_of(page: AppTest) -> str:
    """Return all HTML on the page."""
    return "\n".join(block.proto.body for block in page.get("html"))


def alerts(page: AppTest) -> list[str]:
    """Return the texts of the error boxes, with ID in the place of request ids."""
    found = re.findall(r'<div class="notice alert" role="alert">(.*?)</div>', html_of(page), re.DOTALL)
    texts = (re.sub(r"<code>[0-9a-f]{16}</code>", "ID", alert) for alert in found)
    return [unescape(re.sub(r"<[^>]*>", "", text)) for text in texts]


def count_cards(page: AppTest) -> int:
    """Return how many pictures the gallery shows."""
    return html_of(page).count('class="card"')
