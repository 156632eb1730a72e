"""Small pieces of HTML. Everything that comes from outside is escaped here.

No text from outside goes into Streamlit's Markdown (labels, captions, alerts): it fetches pictures, and no escape keeps it from
making links and signs of what it takes for addresses, icons and arrows. `st.html(text(...))` shows such a text as it is.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Final

from ui.answers import Candidate
from ui.pictures import media_type

# Control characters, halves of surrogate pairs, and what turns the direction of the text around it.
UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def text(value: str) -> str:
    """Text that is safe between tags and inside quoted attributes, and shown as it is written; � for what cannot be shown."""
    return escape(UNPRINTABLE.sub("\ufffd", value))


def percent(share: float) -> str:
    """A share as a person reads it. No model is ever wholly sure: the 1 and 0 of an answer are rounded ones."""
    if share >= 0.9995:
        return ">99.9%"
    if share < 0.0005:
        return "<0.1%"
    return f"{share:.1%}"


def image(picture: bytes, *, alt: str, pixelated: bool = False) -> str:
    """A picture inside the page itself: no other request is made for it."""
    kind = ' class="pixelated"' if pixelated else ""
    source = f"data:{media_type(picture)};base64,{b64encode(picture).decode('ascii')}"
    return f'<img{kind} src="{source}" alt="{text(alt)}">'


def top(candidates: Sequence[Candidate]) -> str:
    """The likeliest labels as a short list."""
    rows = "".join(f"<li><b>{text(each.label)}</b><span>{percent(each.confidence)}</span></li>" for each in candidates)
    return f'<ol class="top">{rows}</ol>'
