"""Drawing with the keyboard: on the focused sheet the arrow keys move a cursor, and Space puts the pen down and lifts it."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.i18n.translation import translate

HTML: Final = (
    '<div class="keyboard-pen"><span class="pen-cursor"></span><p class="pen-help" id="pen-help"></p>'
    '<p class="pen-status" role="status"></p></div>'
)
_pen: Final = st.components.v2.component(
    "keyboard-pen",
    html=HTML,
    js=Path(__file__).with_name("keyboard_pen.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show() -> None:
    """Let the sheet be drawn on with the keyboard. Call it in the sheet's container; it shows something only on focus."""
    texts = {
        "label": translate("keyboard.label"),
        "help": translate("keyboard.help"),
        "down": translate("keyboard.down", x="{x}", y="{y}"),
        "up": translate("keyboard.up", x="{x}", y="{y}"),
    }
    _pen(key="keyboard-pen", data=texts)
