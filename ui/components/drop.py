"""Takes pictures that are dropped or pasted anywhere on the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from ui.i18n.translation import translate

_target: Final = st.components.v2.component(
    "drop-target",
    html='<div class="drop-target"><p></p></div>',
    js=Path(__file__).with_name("drop.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(on_files: Callable[[], None]) -> None:
    """Give dropped and pasted files to the file uploader of the page; `on_files` is called each time."""
    with st.container(key="drop"):
        _target(key="drop-target", data={"text": translate("drop.target")}, on_given_change=on_files)
