"""The drawing canvas. This is the only module that uses streamlit-drawable-canvas.

The browser owns the drawing: `canvas.js` calls the package's canvas, keeps the strokes with their history, and reports every
change as a whole. So the order in which strokes, undo and clear arrive here does not matter, and no stroke waits for a rerun.
"""

from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.i18n.translation import translate
from ui.images.polyline import SQUARE_SHEET
from ui.state.drawing import WIDE_SHEET, CanvasContent, Drawing, Pen

PACKAGE_COMPONENT: Final = "streamlit-drawable-canvas.streamlit_drawable_canvas"
_KEY: Final = "canvas"
SCRIPTS: Final = ("canvas.js", "canvas_edge.js", "sheet_size.js")


def show(content: CanvasContent, pen: Pen, *, wide: bool = False) -> Drawing:
    """Show the canvas and return what is drawn on it. A `wide` one is for several characters; the visitor can resize it."""
    canvas, script = _component()
    width, height = WIDE_SHEET if wide else SQUARE_SHEET
    result = canvas(
        key=_KEY,
        data={
            "script": script,
            "sheet": {"width": width, "height": height, "resizable": wide},
            "label": translate("canvas.label"),
            "resize": translate("canvas.resize", width="{width}", height="{height}"),
            "drag": translate("canvas.drag"),
            "pen": {"width": pen.width, "ink": pen.ink, "background": pen.background},
            "content": {"revision": content.revision, "strokes": list(content.strokes), "size": content.size},
        },
        default={"drawing": None},
        on_drawing_change=lambda: None,
    )
    return parse_drawing(result.get("drawing"))


def has_news(drawing: Drawing) -> bool:
    """Return whether the canvas has reported something since this drawing; callable before `show`, or without it."""
    report = (st.session_state.get(_KEY) or {}).get("drawing")
    return report is not None and report["version"] != drawing.version


def parse_drawing(report: Mapping[str, Any] | None) -> Drawing:
    """Convert the report of `canvas.js`. Without strokes there is no drawing, although the canvas has a background."""
    if report is None:
        return Drawing()
    strokes = tuple(report["strokes"])
    png = b64decode(report["png"]) if strokes else None
    size = tuple(report["size"])
    return Drawing(png, strokes, report["number"], report["revision"], report["version"], size)


@cache
def _component() -> tuple[ComponentRenderer, str]:
    """Register the canvas; return it, and the address of the package's script relative to the page."""
    # The package registers its component, which serves its files, on import; that works only inside a running Streamlit.
    import streamlit_drawable_canvas

    build = Path(streamlit_drawable_canvas.__file__).parent / "frontend" / "build"
    (script,), (stylesheet,) = build.glob("index-*.js"), build.glob("index-*.css")
    css = stylesheet.read_text(encoding="utf-8") + Path(__file__).with_name("canvas.css").read_text(encoding="utf-8")
    js = "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in SCRIPTS)
    canvas = st.components.v2.component("canvas", html='<div class="canvas-root"></div>', css=css, js=js)
    return canvas, f"_stcore/bidi-components/{PACKAGE_COMPONENT}/{script.name}"
