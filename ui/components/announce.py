"""Announces the latest answer to screen readers through an ARIA live region."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.i18n.translation import current_language

_announcer: Final = st.components.v2.component(
    "announcer", html="<p></p>", js=Path(__file__).with_name("announce.js").read_text(encoding="utf-8"), isolate_styles=False
)


def announce(text: str) -> None:
    """Have screen readers read a text once. It is not visible and takes no space on the page."""
    with st.container(key="announcer"):
        _announcer(key="announcement", data={"text": text, "language": current_language()})
