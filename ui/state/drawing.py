"""Data of the drawing canvas: strokes, the pen, and what the page puts on the canvas."""

from dataclasses import dataclass, field
from typing import Any, Final

from ui.images.polyline import SQUARE_SHEET, Size

# The sheet for several characters, until the visitor gives it another size.
WIDE_SHEET: Final[Size] = (560, 320)
# Width of the pen in pixels, for one character that fills the sheet, and for several.
PEN_WIDTH: Final = 20
FINE_PEN_WIDTH: Final = 14

# One stroke: `path`, a list of SVG path commands such as ["M", 10, 20] in pixels of the picture; `strokeWidth` in pixels;
# `eraser`, true for a stroke that removes ink; and `stroke`, its colour. The canvas draws all strokes in the colours of the
# pen; where `eraser` is missing, a stroke in the colour of the background is one of the eraser.
Stroke = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pen:
    """Stroke width in pixels, and the colours of ink and background as `#rrggbb`."""

    width: int = PEN_WIDTH
    ink: str = "#000000"
    # White in both themes: the colour is part of the picture.
    background: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the canvas reports: the PNG, or None while nothing is drawn, and its strokes, oldest first.

    `number` counts the drawings: the first stroke on an empty canvas begins a new one. `revision` is that of the latest
    `CanvasContent` the canvas has taken over. `version` counts the reports. `size` is that of the sheet.
    """

    png: bytes | None = None
    strokes: tuple[Stroke, ...] = field(default=(), compare=False)
    number: int = 0
    revision: str = ""
    version: int = field(default=0, compare=False)
    size: Size = SQUARE_SHEET


@dataclass(frozen=True, slots=True)
class CanvasContent:
    """What the page puts on the canvas. A new `revision` replaces everything drawn before; the visitor can undo that. `size` is
    that of the sheet which the strokes were drawn on; None leaves the sheet as it is."""

    strokes: tuple[Stroke, ...] = ()
    revision: str = ""
    size: Size | None = None
