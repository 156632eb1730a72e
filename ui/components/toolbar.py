"""The buttons of the drawing canvas, which act in the browser without a rerun."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from ui.i18n.translation import translate

_toolbar: Final = st.components.v2.component(
    "toolbar",
    html='<div class="toolbar" role="group"></div>',
    js=Path(__file__).with_name("toolbar.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(on_invert: Callable[[], None]) -> None:
    """Show the buttons; `on_invert` is called when the visitor swaps the colours of ink and background."""
    names = {
        "undo": translate("toolbar.undo"),
        "redo": translate("toolbar.redo"),
        "eraser": translate("toolbar.eraser"),
        "clear": translate("toolbar.clear"),
        "invert": translate("toolbar.invert"),
    }
    data = {"label": translate("toolbar.label"), "names": names, "delete": translate("toolbar.delete_key")}
    _toolbar(key="toolbar", data=data, on_invert_change=on_invert)
