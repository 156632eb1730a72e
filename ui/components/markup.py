"""Builds small pieces of HTML and escapes all text that comes from outside.

Text from outside must not go into Streamlit's Markdown (labels, captions, alerts): Markdown loads images, and no escaping keeps
Streamlit from turning URLs, icon names and arrows into links and symbols. `st.html(escape(...))` shows such a text literally.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape as escape_html
from typing import Final

from ui.api.schemas import LabelScore
from ui.images.media_types import media_type

# Control characters, lone surrogates, and characters that change the text direction.
UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

# Texts without anything that Streamlit's Markdown changes: words, separated by single spaces, slashes or hyphens.
PLAIN: Final = re.compile(r"[^\W_]+(?:[ /-][^\W_]+)*")


def escape(text: str) -> str:
    """Escape text for HTML content and quoted attributes; unprintable characters become U+FFFD."""
    return escape_html(UNPRINTABLE.sub("\ufffd", text))


def is_plain(text: str) -> bool:
    """Return whether Streamlit shows a text unchanged where it reads Markdown, as in the label of a button."""
    return PLAIN.fullmatch(text) is not None


def percent(probability: float) -> str:
    """Format a probability as a percentage. It never shows 0% or 100%: those are rounded values."""
    if probability >= 0.9995:
        return ">99.9%"
    if probability < 0.0005:
        return "<0.1%"
    return f"{probability:.1%}"


def image(data: bytes, *, alt: str, pixelated: bool = False) -> str:
    """Return an `img` element with the image inside as a data URL, so that the browser sends no request for it."""
    kind = ' class="pixelated"' if pixelated else ""
    source = f"data:{media_type(data)};base64,{b64encode(data).decode('ascii')}"
    return f'<img{kind} src="{source}" alt="{escape(alt)}">'


def top_labels(scores: Sequence[LabelScore]) -> str:
    """Return the most likely labels as a list."""
    rows = "".join(f"<li><b>{escape(each.label)}</b> <span>{percent(each.confidence)}</span></li>" for each in scores)
    return f'<ol class="top">{rows}</ol>'
