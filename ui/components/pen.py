"""The controls of the pen: stroke width, ink colour and background colour."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from ui.i18n.translation import translate
from ui.state.drawing import Pen

MIN_WIDTH: Final = 6
MAX_WIDTH: Final = 40
# WCAG 2 contrast ratio below which ink and background look the same.
MIN_CONTRAST: Final = 1.5


def current_pen() -> Pen:
    """Return the chosen pen; the default before the controls are on the page."""
    default = Pen()
    state = st.session_state
    return Pen(
        state.get("pen-width", default.width), state.get("ink", default.ink), state.get("background", default.background)
    )


def show_controls(on_colour_change: Callable[[], None]) -> None:
    """Show the controls in a popover; `on_colour_change` is called when a colour changes."""
    default = Pen()
    with st.popover(translate("pen.title"), icon=":material/brush:", key="pen"):
        st.slider(translate("pen.width"), MIN_WIDTH, MAX_WIDTH, default.width, format="%d px", key="pen-width")
        with st.container(horizontal=True):
            st.color_picker(translate("pen.ink"), default.ink, key="ink", on_change=on_colour_change)
            st.color_picker(translate("pen.background"), default.background, key="background", on_change=on_colour_change)
        pen = current_pen()
        if contrast(pen.ink, pen.background) < MIN_CONTRAST:
            st.caption(translate("pen.low_contrast"))


def contrast(one: str, other: str) -> float:
    """Return the WCAG 2 contrast ratio of two colours `#rrggbb`, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, 0 to 1, as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
