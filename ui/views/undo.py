"""The bar at the bottom of the window that undoes deletions in the gallery."""

from typing import Final

import streamlit as st

from ui.api.client import Client
from ui.components import cards
from ui.i18n.translation import translate
from ui.state.session_gallery import SessionGallery

# How often the bar looks whether it is over.
INTERVAL_SECONDS: Final = 1.0


def show(gallery: SessionGallery, client: Client | None) -> None:
    """Show what can be undone, if there is anything. The bar disappears by itself."""
    if gallery.can_restore or (client is not None and gallery.saved.deletions_wait(client)):
        _show(gallery, client, shown(gallery, client))


@st.fragment(run_every=INTERVAL_SECONDS)
def _show(gallery: SessionGallery, client: Client | None, before: tuple[int, int, bool]) -> None:
    now = shown(gallery, client)
    if now != before:
        st.rerun()
    removed, deleted, _ = now
    with st.container(key="gallery-undo"):
        if removed:
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.html(cards.note(translate("gallery.removed", count=removed), announced=True), width="content")
                st.button(translate("gallery.undo_removing"), key="undo-removing", on_click=gallery.restore)
        if deleted and client is not None:
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.html(cards.note(translate("gallery.deleted"), announced=True), width="content")
                st.button(translate("gallery.undo_deleting"), key="undo-deleting", on_click=gallery.saved.undo, args=[client])


def shown(gallery: SessionGallery, client: Client | None) -> tuple[int, int, bool]:
    """Return how many removed pictures and how many deletions can be undone, and whether any deletion has not been sent yet."""
    removed = len(gallery.removed) if gallery.can_restore else 0
    if client is None:
        return removed, 0, False
    return removed, len(gallery.saved.undoable(client)), gallery.saved.deletions_wait(client)
