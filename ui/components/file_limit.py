"""Has the browser report files that are too large, which Streamlit's uploader would leave out."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.images.media_types import SIGNATURES

_limiter: Final = st.components.v2.component(
    "file-limit", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"), isolate_styles=False
)


def max_file_megabytes() -> int:
    """Return how many megabytes (2^20 bytes) an uploaded file may have."""
    return int(st.get_option("server.maxUploadSize"))


def limit_files() -> None:
    """Replace files that are too large by empty ones in the uploader beside it (`PictureFile.from_upload`)."""
    limits = {"bytes": max_file_megabytes() * 2**20, "accept": ",".join(SIGNATURES)}
    with st.container(key="file-limit"):
        _limiter(key="file-limiter", data=limits)
