"""What happens in the browser while a stroke is drawn: pictures of it, what the model sees of it, and bars that glide."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from ui.api.schemas import AnnotatedImage
from ui.components import markup
from ui.i18n.translation import translate

_KEY: Final = "live"
_live: Final = st.components.v2.component(
    "live", js=Path(__file__).with_name("live_picture.js").read_text(encoding="utf-8"), isolate_styles=False
)


@dataclass(frozen=True, slots=True)
class LivePicture:
    """The PNG of an unfinished stroke on top of the drawing of this version."""

    png: bytes
    version: int


def sent_picture() -> LivePicture | None:
    """Return the picture of an unfinished stroke for which the browser has begun this run; None in any other run."""
    sent = (st.session_state.get(_KEY) or {}).get("picture")
    return LivePicture(b64decode(sent["png"]), sent["version"]) if sent else None


def show(run: int, version: int, model_input: AnnotatedImage | None) -> None:
    """Show what the model sees, and tell the browser that it may send the next picture.

    Args:
        run: another number in each run, since the browser does not notice a run that changes nothing.
        version: of the drawing that has been answered.
    """
    seen = None
    if model_input is not None:
        width, height = model_input.size
        seen = {"png": b64encode(model_input.png).decode("ascii"), "size": f"{width}×{height}"}
    _live(key=_KEY, data={"run": run, "version": version, "input": seen}, on_picture_change=lambda: None)


def model_input_html() -> str:
    """Return the place beside the canvas in which the browser shows what the model sees."""
    caption = markup.escape(translate("canvas.model_input"))
    return (
        f'<figure class="model-input"><img class="pixelated" alt="{caption}">'
        f"<figcaption>{caption} <span></span></figcaption></figure>"
    )
