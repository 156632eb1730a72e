"""The controls of the pen: stroke width, ink colour and background colour."""

from dataclasses import replace
from typing import Final

import streamlit as st

from ui.i18n.translation import translate
from ui.state.drawing import FINE_PEN_WIDTH, PEN_WIDTH, Pen

MIN_WIDTH: Final = 6
MAX_WIDTH: Final = 40
# WCAG 2 contrast ratio below which ink and background look the same.
MIN_CONTRAST: Final = 1.5
_START: Final = "pen-start"


def current_pen() -> Pen:
    """Return the chosen pen; the default before the controls are on the page."""
    start, state = _start(), st.session_state
    return Pen(
        state.get(_key("pen-width"), start.width),
        state.get(_key("ink"), start.ink),
        state.get(_key("background"), start.background),
    )


def set_pen(pen: Pen) -> None:
    """Choose another pen; call it before the controls.

    The controls become new ones that start with this pen: while they are hidden, the browser would not take over new values.
    """
    width = min(max(pen.width, MIN_WIDTH), MAX_WIDTH)
    st.session_state[_START] = replace(pen, width=width), _generation() + 1


def invert() -> None:
    """Swap the colours of ink and background."""
    pen = current_pen()
    set_pen(replace(pen, ink=pen.background, background=pen.ink))


def follow_sheet(*, wide: bool) -> None:
    """Choose the width for one character or for several, unless the visitor chose another; call it before the controls."""
    pen, (width, other) = current_pen(), (FINE_PEN_WIDTH, PEN_WIDTH) if wide else (PEN_WIDTH, FINE_PEN_WIDTH)
    if pen.width == other:
        set_pen(replace(pen, width=width))


def show_controls() -> None:
    """Show the controls in a popover. New colours apply to the whole drawing."""
    start = _start()
    with st.popover(translate("pen.title"), icon=":material/brush:", key="pen"):
        st.slider(translate("pen.width"), MIN_WIDTH, MAX_WIDTH, start.width, format="%d px", key=_key("pen-width"))
        with st.container(horizontal=True):
            st.color_picker(translate("pen.ink"), start.ink, key=_key("ink"))
            st.color_picker(translate("pen.background"), start.background, key=_key("background"))
        pen = current_pen()
        if contrast(pen.ink, pen.background) < MIN_CONTRAST:
            st.caption(translate("pen.low_contrast"))


def _start() -> Pen:
    """Return the pen that the controls start with."""
    pen: Pen = st.session_state.get(_START, (Pen(), 0))[0]
    return pen


def _generation() -> int:
    """Return how often the page has chosen another pen."""
    generation: int = st.session_state.get(_START, (Pen(), 0))[1]
    return generation


def _key(name: str) -> str:
    """Return the key of a control."""
    return f"{name}-{_generation()}" if _generation() else name


def contrast(one: str, other: str) -> float:
    """Return the WCAG 2 contrast ratio of two colours `#rrggbb`, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, 0 to 1, as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
