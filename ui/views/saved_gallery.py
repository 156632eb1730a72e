"""The saved pictures: cards to correct and delete, the model filter, export and deletion of all."""

from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError
from ui.api.gallery_export import export_url
from ui.api.schemas import ModelCatalogue, SavedPicture
from ui.components import cards
from ui.i18n.translation import translate
from ui.state.saved_gallery import SavedGallery
from ui.state.widget_state import set_widget

# The value of the model filter for all models; no model can have this name.
ALL_MODELS: Final = "*"


def show(gallery: SavedGallery, client: Client, catalogue: ModelCatalogue) -> None:
    """Show the saved pictures as last loaded, newest first."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.html(cards.row_title(translate("gallery.saved"), f"{gallery.total:,}" if gallery.entries else ""), width="content")
        _show_tools(gallery, client, catalogue)
    _show_failure(gallery)
    if not gallery.entries:
        if gallery.failure is None:
            st.html(cards.note(translate("gallery.nothing")))
        return
    with st.container(key="saved"):
        for number, entry in enumerate(gallery.entries, start=1):
            with st.container(key=f"tile-{entry.id}"):
                _show_card(gallery, client, catalogue, entry, number)
    if gallery.has_more:
        icon = ":material/expand_more:"
        st.button(translate("gallery.more"), key="saved-more", icon=icon, on_click=gallery.load_more, args=[client])


def _show_tools(gallery: SavedGallery, client: Client, catalogue: ModelCatalogue) -> None:
    with st.container(key="saved-tools", horizontal=True, vertical_alignment="center", width="content"):
        if len(catalogue.models) > 1:
            _show_model_filter(gallery, catalogue)
        st.button(
            translate("gallery.refresh"),
            key="saved-refresh",
            type="tertiary",
            icon=":material/refresh:",
            on_click=gallery.invalidate,
            args=[gallery.model],
        )
        if gallery.entries:
            st.link_button(
                translate("gallery.export"),
                export_url(gallery.model),
                key="saved-export",
                type="tertiary",
                icon=":material/download:",
            )
            with st.popover(translate("gallery.delete_all"), type="tertiary", icon=":material/delete:"):
                st.write(translate("gallery.delete_all_warning"))
                # Not a primary button: Streamlit writes white on the accent colour, which is light in the dark theme.
                st.button(
                    translate("gallery.delete_all_confirm"),
                    key="saved-delete-all",
                    on_click=gallery.delete_all,
                    args=[client],
                )


def _show_model_filter(gallery: SavedGallery, catalogue: ModelCatalogue) -> None:
    def apply() -> None:
        name = st.session_state["saved-model"]
        gallery.invalidate(None if name == ALL_MODELS else name)

    set_widget("saved-model", gallery.model or ALL_MODELS)
    st.selectbox(
        translate("gallery.model"),
        [ALL_MODELS, *catalogue.names()],
        format_func=lambda name: translate("gallery.all_models") if name == ALL_MODELS else name,
        key="saved-model",
        label_visibility="collapsed",
        width=160,
        on_change=apply,
    )


def _show_failure(gallery: SavedGallery) -> None:
    if isinstance(gallery.failure, ServiceError):
        st.html(cards.note(translate("gallery.error", reason=gallery.failure.detail or gallery.failure.title)))
    elif gallery.failure is not None:
        st.html(cards.note(translate("gallery.unavailable")))
    elif gallery.deleted_elsewhere:
        st.html(cards.note(translate("gallery.deleted_elsewhere")))


def _show_card(gallery: SavedGallery, client: Client, catalogue: ModelCatalogue, entry: SavedPicture, number: int) -> None:
    st.html(cards.saved_card(entry))
    with st.container(key=f"card-actions-{entry.id}", horizontal=True, gap="xxsmall", vertical_alignment="center"):
        _show_correction(gallery, client, _labels(catalogue, entry), entry, number)
        st.button(
            translate("gallery.delete"),
            key=f"delete-{entry.id}",
            type="tertiary",
            icon=":material/delete:",
            on_click=gallery.delete,
            args=[client, entry.id],
        )


def _show_correction(gallery: SavedGallery, client: Client, labels: list[str], entry: SavedPicture, number: int) -> None:
    key = f"label-{entry.id}"
    # The service's value counts, also after a correction that failed or was made elsewhere.
    set_widget(key, entry.corrected if entry.corrected in labels else None)
    st.selectbox(
        translate("gallery.correction", number=number),
        labels,
        index=None,
        placeholder=translate("gallery.correct"),
        key=key,
        label_visibility="collapsed",
        disabled=not labels,
        on_change=lambda: gallery.correct(client, entry.id, st.session_state[key]),
    )


def _labels(catalogue: ModelCatalogue, entry: SavedPicture) -> list[str]:
    """Return the labels that a picture can be corrected to; none if its model is no longer in service."""
    return next((model.card.labels for model in catalogue.models if model.name == entry.model), [])
