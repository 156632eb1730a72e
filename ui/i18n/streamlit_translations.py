"""Translates texts that Streamlit's own widgets show in English. Streamlit has no setting for them."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.i18n.translation import translate

# The widgets whose texts are translated.
WIDGETS: Final = "[class*=st-key-uploaded-files], .st-key-camera"
_translator: Final = st.components.v2.component(
    "streamlit-translations",
    js=Path(__file__).with_name("streamlit_translations.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def translate_streamlit() -> None:
    """Replace the texts of the file uploader and the camera in the browser."""
    texts = {
        "Upload": translate("streamlit.upload"),
        "Take Photo": translate("streamlit.take_photo"),
        "Clear photo": translate("streamlit.clear_photo"),
        "This app would like to use your camera.": translate("streamlit.camera_permission"),
        "Learn how to allow access.": translate("streamlit.camera_help"),
    }
    _translator(key="streamlit-translations", data={"widgets": WIDGETS, "texts": texts})
