"""What the page says aloud: the latest answer for those who listen to the page, in the language the page speaks."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.language import current

_voice: Final = st.components.v2.component(
    "voice", html="<p></p>", js=Path(__file__).with_name("live.js").read_text(encoding="utf-8"), isolate_styles=False
)


def say_aloud(words: str) -> None:
    """Have screen readers read the words, once, without moving anything on the page."""
    with st.container(key="voice"):
        _voice(key="spoken", data={"words": words, "language": current()})
