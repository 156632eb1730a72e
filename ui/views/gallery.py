"""The gallery at the bottom of the page: the pictures of this session and the saved ones."""

from functools import partial
from time import monotonic
from typing import Final

import streamlit as st

from ui.api.client import Client
from ui.api.schemas import ModelCatalogue
from ui.components import cards, labels
from ui.i18n.translation import translate
from ui.images.media_types import file_name
from ui.state.deletions import RETRY_SECONDS
from ui.state.session import Session
from ui.state.session_gallery import SessionGallery, SessionPicture
from ui.state.widget_state import OwnedWidget
from ui.views import saved_gallery, undo

# More pictures than this are saved with a progress bar.
MAX_WITHOUT_PROGRESS: Final = 3


def show(session: Session, client: Client, catalogue: ModelCatalogue | None, *, drawable: bool) -> None:
    """Save the pending pictures, then show the gallery.

    If the service has no gallery, as the catalogue tells, the pictures of this session are shown alone.

    Args:
        drawable: whether the canvas is a source of the chosen model, so that drawings can be opened on it.
    """
    _show(session, client if catalogue and catalogue.gallery else None, catalogue, drawable)


# A fragment: actions in the gallery rerun only the gallery.
@st.fragment
def _show(session: Session, client: Client | None, catalogue: ModelCatalogue | None, drawable: bool) -> None:
    gallery = session.gallery
    if client is None and not gallery.entries and not gallery.can_restore:
        return
    with st.container(key="gallery"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(translate("gallery.title"), anchor=False, width="content")
            if client is not None:
                _show_save_switch(gallery)
        if client is not None:
            if gallery.saving:
                st.html(cards.note(translate("gallery.save_explanation")))
            _save_pending(gallery, client)
        if gallery.entries:
            _show_session_pictures(session, client, drawable)
        if client is not None and catalogue is not None:
            gallery.saved.refresh(client)
            saved_gallery.show(session, client, catalogue)
            if gallery.needs_retry:
                _retry(monotonic() + RETRY_SECONDS / 2)
        undo.show(gallery, client)


@st.fragment(run_every=RETRY_SECONDS)
def _retry(not_before: float) -> None:
    """Rerun the page every `RETRY_SECONDS` while the service does not answer."""
    if monotonic() > not_before:
        st.rerun()


def _show_save_switch(gallery: SessionGallery) -> None:
    widget = OwnedWidget.showing("save", gallery.saving, translated=False)
    st.toggle(
        translate("gallery.save"),
        gallery.saving,
        key=widget.key,
        help=translate("gallery.save_explanation"),
        on_change=widget.on_change(gallery.set_saving),
    )


def _save_pending(gallery: SessionGallery, client: Client) -> None:
    placeholder = st.empty()

    def progress(done: int, total: int) -> None:
        if total > MAX_WITHOUT_PROGRESS:
            placeholder.progress(done / total, translate("gallery.progress", done=done, total=total))

    gallery.save_pending(client, progress)
    placeholder.empty()
    if gallery.pending() and gallery.failure:
        placeholder.html(cards.note(translate("gallery.pending", count=len(gallery.pending()))))


def _show_session_pictures(session: Session, client: Client | None, drawable: bool) -> None:
    gallery = session.gallery
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        title = cards.row_title(translate("gallery.session"), translate("gallery.session_note"))
        st.html(title, width="content")
        icon = ":material/delete:"
        st.button(translate("gallery.clear"), key="clear-session", type="tertiary", icon=icon, on_click=gallery.clear)
    with st.container(key="session-pictures"):
        for position, entry in enumerate(gallery.entries, start=1):
            label = labels.one_line(entry.corrected or entry.classification.label)
            name = cards.picture_name(position, label, entry.created)
            with st.container(key=f"tile-{entry.number}"):
                text = cards.session_card(entry.classification, entry.thumbnail, entry.refusal, entry.corrected, entry.created)
                st.html(text)
                with st.container(key=f"card-buttons-{entry.number}", horizontal=True, gap="small"):
                    if client is not None and entry.picture is not None and not entry.save_requested:
                        _show_save_button(gallery, entry, name)
                    _show_open_button(session, entry, name, drawable)


def _show_save_button(gallery: SessionGallery, entry: SessionPicture, name: str) -> None:
    st.button(
        translate("gallery.save_one", name=name),
        key=f"save-{entry.number}",
        type="tertiary",
        icon=":material/bookmark_add:",
        on_click=gallery.request_save,
        args=[entry.number],
    )


def _show_open_button(session: Session, entry: SessionPicture, name: str, drawable: bool) -> None:
    if entry.strokes and drawable:
        label, help, icon = translate("gallery.draw_on", name=name), translate("gallery.draw_on_help"), ":material/draw:"
        open_entry = partial(session.open_drawing, entry.strokes, entry.size)
    elif entry.picture is not None:
        label, help, icon = translate("gallery.open", name=name), translate("gallery.open_help"), ":material/open_in_full:"
        open_entry = partial(session.open_picture, file_name(entry.picture), entry.picture)
    else:
        return
    if st.button(label, key=f"open-{entry.number}", type="tertiary", icon=icon, help=help):
        open_entry()
        st.rerun()
