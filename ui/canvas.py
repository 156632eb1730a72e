"""The sheet to draw on: the only module that knows streamlit-drawable-canvas."""

from dataclasses import dataclass
from typing import Any, Final

SIDE: Final = 280
INK: Final = "#000000"
# White in both themes: the colour is part of the picture, and changing it would wipe the drawing.
PAPER: Final = "#ffffff"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is on the canvas: the PNG as drawn, or None while nothing is."""

    png: bytes | None = None


def show(sheet: int, brush: int) -> Drawing:
    """Put the canvas on the page; another `sheet` number is another, empty canvas."""
    # The package registers its component when imported, which only works inside a running Streamlit.
    from streamlit_drawable_canvas import st_canvas

    result = st_canvas(
        stroke_width=brush,
        stroke_color=INK,
        background_color=PAPER,
        width=SIDE,
        height=SIDE,
        drawing_mode="freedraw",
        return_image_data=True,
        key=f"canvas-{sheet}",
    )
    return drawing(result.json_data, result.image_bytes)


def drawing(json_data: dict[str, Any] | None, png: bytes | None) -> Drawing:
    """A canvas without strokes has a picture too, of empty paper: the strokes tell whether anything is drawn."""
    return Drawing(png if json_data and json_data.get("objects") else None)
