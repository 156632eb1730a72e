"""The sheet to draw on: the only module that knows streamlit-drawable-canvas."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import streamlit as st

from ui.language import say

SIDE: Final = 280
# Fabric's description of one stroke: a path, its colour and its width.
Stroke = dict[str, Any]
_dress: Final = st.components.v2.component(
    "sheet", js=Path(__file__).with_name("canvas.js").read_text(encoding="utf-8"), isolate_styles=False
)


@dataclass(frozen=True, slots=True)
class Pen:
    """How broad the strokes are, in pixels, and the colours of ink and paper as `#rrggbb`."""

    width: int = 20
    ink: str = "#000000"
    # White in both themes: the colour is part of the picture.
    paper: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is on the canvas: its strokes, oldest first, and the PNG as drawn, or None while nothing is."""

    png: bytes | None = None
    strokes: tuple[Stroke, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Start:
    """What the page puts on the sheet. Another `edition` takes the place of whatever was drawn since the last."""

    strokes: tuple[Stroke, ...] = ()
    edition: int = 0


def show(start: Start, pen: Pen) -> Drawing:
    """Put the canvas on the page."""
    # The package registers its component when imported, which only works inside a running Streamlit.
    from streamlit_drawable_canvas import st_canvas

    result = st_canvas(
        stroke_width=pen.width,
        stroke_color=pen.ink,
        background_color=pen.paper,
        width=SIDE,
        height=SIDE,
        drawing_mode="freedraw",
        initial_drawing={"objects": list(start.strokes), "edition": start.edition},
        return_image_data=True,
        key="canvas",
    )
    _dress(key="sheet", data={"name": say("canvas.name")})
    return drawing(result.json_data, result.image_bytes)


def drawing(json_data: dict[str, Any] | None, png: bytes | None) -> Drawing:
    """A canvas without strokes has a picture too, of empty paper: the strokes tell whether anything is drawn."""
    strokes = tuple(json_data.get("objects", ())) if json_data else ()
    return Drawing(png, strokes) if strokes else Drawing()


def recoloured(strokes: tuple[Stroke, ...], ink: str) -> tuple[Stroke, ...]:
    """The same strokes in another ink."""
    return tuple({**stroke, "stroke": ink} for stroke in strokes)


def begins(strokes: tuple[Stroke, ...], others: tuple[Stroke, ...]) -> bool:
    """Whether the first strokes are the others, in the same ink: more may have been drawn since."""
    return len(others) <= len(strokes) and all(_line(one) == _line(other) for one, other in zip(strokes, others, strict=False))


def same(strokes: tuple[Stroke, ...], others: tuple[Stroke, ...]) -> bool:
    """Whether both are the same strokes in the same ink."""
    return len(strokes) == len(others) and begins(strokes, others)


def _line(stroke: Stroke) -> tuple[Any, Any]:
    return stroke.get("path"), stroke.get("stroke")
