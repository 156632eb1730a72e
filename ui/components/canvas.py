"""The drawing canvas. This is the only module that uses streamlit-drawable-canvas."""

from pathlib import Path
from typing import Any, Final

import streamlit as st

from ui.i18n.translation import translate
from ui.state.drawing import CanvasContent, Drawing, Pen

SIDE: Final = 280  # pixels
_fixes: Final = st.components.v2.component(
    "canvas-fixes", js=Path(__file__).with_name("canvas.js").read_text(encoding="utf-8"), isolate_styles=False
)


def show(content: CanvasContent, pen: Pen) -> Drawing:
    """Show the canvas and return what is drawn on it."""
    # The package registers its component on import, which works only inside a running Streamlit.
    from streamlit_drawable_canvas import st_canvas

    result = st_canvas(
        stroke_width=pen.width,
        stroke_color=pen.ink,
        background_color=pen.background,
        width=SIDE,
        height=SIDE,
        drawing_mode="freedraw",
        initial_drawing={"objects": list(content.strokes), "revision": content.revision},
        return_image_data=True,
        key="canvas",
    )
    _fixes(key="canvas-fixes", data={"label": translate("canvas.label")})
    return parse_drawing(result.json_data, result.image_bytes)


def parse_drawing(json_data: dict[str, Any] | None, png: bytes | None) -> Drawing:
    """Convert the canvas's result. Without strokes there is no drawing, although the canvas sends a PNG of the background."""
    strokes = tuple(json_data.get("objects", ())) if json_data else ()
    return Drawing(png, strokes) if strokes else Drawing()
