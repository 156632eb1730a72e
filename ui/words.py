"""What Streamlit's own parts say, in the visitor's language: they have no setting for it."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.language import say

# The parts whose words are changed.
PARTS: Final = ".st-key-files-sent, .st-key-camera"
_translator: Final = st.components.v2.component(
    "words", js=Path(__file__).with_name("words.js").read_text(encoding="utf-8"), isolate_styles=False
)


def translate() -> None:
    """Have the uploader and the camera speak as the rest of the page does."""
    words = {
        "Upload": say("words.upload"),
        "Take Photo": say("words.take_photo"),
        "Clear photo": say("words.clear_photo"),
        "This app would like to use your camera.": say("words.camera_wanted"),
        "Learn how to allow access.": say("words.camera_access"),
    }
    _translator(key="words", data={"parts": PARTS, "words": words})
