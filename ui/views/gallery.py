"""The gallery at the bottom of the page: the pictures of this session and the saved ones."""

from time import monotonic
from typing import Final

import streamlit as st

from ui.api.client import Client
from ui.api.schemas import ModelCatalogue
from ui.components import cards
from ui.i18n.translation import translate
from ui.state.saved_gallery import RETRY_SECONDS
from ui.state.session_gallery import SessionGallery, SessionPicture
from ui.state.widget_state import set_widget
from ui.views import saved_gallery

# More pictures than this are saved with a progress bar.
MAX_WITHOUT_PROGRESS: Final = 3


def show(gallery: SessionGallery, client: Client, catalogue: ModelCatalogue | None) -> None:
    """Save the pending pictures, then show the gallery.

    If the service has no gallery, as the catalogue tells, the pictures of this session are shown alone.
    """
    _show(gallery, client if catalogue and catalogue.gallery else None, catalogue)


# A fragment: actions in the gallery rerun only the gallery.
@st.fragment
def _show(gallery: SessionGallery, client: Client | None, catalogue: ModelCatalogue | None) -> None:
    if client is None and not gallery.entries:
        return
    with st.container(key="gallery"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(translate("gallery.title"), anchor=False, width="content")
            if client is not None:
                _show_save_switch(gallery)
        if client is not None:
            st.html(cards.note(translate("gallery.save_explanation")))
            _save_pending(gallery, client)
        elif catalogue is not None:
            st.html(cards.note(translate("gallery.disabled")))
        if gallery.entries:
            _show_session_pictures(gallery, client)
        if client is not None and catalogue is not None:
            gallery.saved.refresh(client)
            saved_gallery.show(gallery.saved, client, catalogue)
            if gallery.needs_retry:
                _retry(monotonic() + RETRY_SECONDS / 2)


@st.fragment(run_every=RETRY_SECONDS)
def _retry(not_before: float) -> None:
    """Rerun the page every `RETRY_SECONDS` while the service does not answer."""
    if monotonic() > not_before:
        st.rerun()


def _show_save_switch(gallery: SessionGallery) -> None:
    set_widget("save", gallery.saving)
    st.toggle(translate("gallery.save"), key="save", on_change=lambda: gallery.set_saving(st.session_state["save"]))


def _save_pending(gallery: SessionGallery, client: Client) -> None:
    placeholder = st.empty()

    def progress(done: int, total: int) -> None:
        if total > MAX_WITHOUT_PROGRESS:
            placeholder.progress(done / total, translate("gallery.progress", done=done, total=total))

    gallery.save_pending(client, progress)
    placeholder.empty()
    if gallery.pending() and gallery.failure:
        placeholder.html(cards.note(translate("gallery.pending", count=len(gallery.pending()))))


def _show_session_pictures(gallery: SessionGallery, client: Client | None) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        title = cards.row_title(translate("gallery.session"), translate("gallery.session_note"))
        st.html(title, width="content")
        st.button(
            translate("gallery.clear"), key="clear-session", type="tertiary", icon=":material/delete:", on_click=gallery.clear
        )
    with st.container(key="session-pictures"):
        for entry in gallery.entries:
            with st.container(key=f"tile-{entry.digest[:16]}"):
                st.html(cards.session_card(entry.classification, entry.thumbnail, entry.refusal))
                if client is not None and entry.picture is not None and not entry.save_requested:
                    _show_save_button(gallery, entry)


def _show_save_button(gallery: SessionGallery, entry: SessionPicture) -> None:
    st.button(
        translate("gallery.save_one"),
        key=f"save-{entry.digest[:16]}",
        type="tertiary",
        icon=":material/bookmark_add:",
        on_click=gallery.request_save,
        args=[entry.digest],
    )
