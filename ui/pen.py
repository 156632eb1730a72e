"""The pen: how broad, which ink, on which paper."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from ui.canvas import Pen
from ui.language import say

THINNEST: Final = 6
BROADEST: Final = 40
# Ink and paper with less contrast than this, as WCAG 2 counts it, are the same to a reader.
LEAST_CONTRAST: Final = 1.5


def current() -> Pen:
    """The pen as chosen, also before its controls are on the page."""
    new = Pen()
    state = st.session_state
    return Pen(state.get("brush", new.width), state.get("ink", new.ink), state.get("paper", new.paper))


def choose(recolour: Callable[[], None]) -> None:
    """The controls, one click away; `recolour` is called when a colour changes."""
    new = Pen()
    with st.popover(say("pen.title"), icon=":material/brush:", key="pen"):
        st.slider(say("pen.width"), THINNEST, BROADEST, new.width, format="%d px", key="brush")
        with st.container(horizontal=True):
            st.color_picker(say("pen.ink"), new.ink, key="ink", on_change=recolour)
            st.color_picker(say("pen.paper"), new.paper, key="paper", on_change=recolour)
        pen = current()
        if contrast(pen.ink, pen.paper) < LEAST_CONTRAST:
            st.caption(say("pen.alike"))


def contrast(one: str, other: str) -> float:
    """How well two colours stand apart, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, from 0 to 1, as WCAG 2 defines it."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
