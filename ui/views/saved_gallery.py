"""The saved pictures: cards to correct, open and delete, the filters, export and deletion of all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError
from ui.api.gallery_export import export_url
from ui.api.gallery_schemas import ALL_ENTRIES, SavedPicture
from ui.api.schemas import ModelCatalogue
from ui.components import cards, error_texts, labels
from ui.i18n.translation import translate
from ui.images.media_types import file_name
from ui.state.saved_gallery import SavedGallery
from ui.state.session import Session
from ui.state.widget_state import OwnedWidget
from ui.views.correction import as_labels

# The value of a filter that selects all; no model and no label can have this name.
ALL: Final = ""


def show(session: Session, client: Client, catalogue: ModelCatalogue) -> None:
    """Show the saved pictures as last loaded, newest first. Without any there is only what went wrong, if something did."""
    gallery = session.gallery.saved
    if gallery.entries or gallery.selection != ALL_ENTRIES:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(cards.row_title(translate("gallery.saved"), f"{gallery.total:,}"), width="content")
            _show_tools(gallery, client, catalogue)
    _show_failure(gallery)
    if gallery.entries:
        with st.container(key="saved"):
            for position, entry in enumerate(gallery.entries, start=1):
                with st.container(key=f"tile-{entry.id}"):
                    _show_card(session, client, catalogue, entry, position)
    elif gallery.selection != ALL_ENTRIES and gallery.failure is None:
        st.html(cards.note(translate("gallery.none_selected")))
    if gallery.has_more:
        icon = ":material/expand_more:"
        st.button(translate("gallery.more"), key="saved-more", icon=icon, on_click=gallery.load_more, args=[client])


def _show_tools(gallery: SavedGallery, client: Client, catalogue: ModelCatalogue) -> None:
    with st.container(key="saved-tools", horizontal=True, vertical_alignment="center", width="content"):
        _show_filters(gallery, catalogue)
        st.button(
            translate("gallery.refresh"),
            key="saved-refresh",
            type="tertiary",
            icon=":material/refresh:",
            on_click=gallery.invalidate,
        )
        if gallery.entries:
            st.link_button(
                translate("gallery.export"),
                export_url(gallery.selection),
                key="saved-export",
                type="tertiary",
                icon=":material/download:",
            )
        if gallery.selection == ALL_ENTRIES:
            with st.popover(translate("gallery.delete_all"), type="tertiary", icon=":material/delete:"):
                st.write(translate("gallery.delete_all_warning"))
                # Not a primary button: Streamlit writes white on the accent colour, which is light in the dark theme.
                st.button(
                    translate("gallery.delete_all_confirm", count=f"{gallery.total:,}"),
                    key="saved-delete-all",
                    on_click=gallery.delete,
                    args=[client, None],
                )


def _show_filters(gallery: SavedGallery, catalogue: ModelCatalogue) -> None:
    selection = gallery.selection
    if len(catalogue.models) > 1:
        _show_filter(
            "saved-model",
            translate("gallery.model"),
            translate("gallery.all_models"),
            catalogue.names(),
            selection.model,
            lambda model: gallery.select(replace(gallery.selection, model=model, label=None)),
        )
    models = [each for each in catalogue.models if selection.model in (None, each.name)]
    _show_filter(
        "saved-label",
        translate("gallery.label"),
        translate("gallery.all_labels"),
        list(dict.fromkeys(label for model in models for label in model.card.labels)),
        selection.label,
        lambda label: gallery.select(replace(gallery.selection, label=label)),
    )
    corrected = selection.corrected is True
    widget = OwnedWidget.showing("saved-corrected", corrected, translated=False)
    st.toggle(
        translate("gallery.corrected_only"),
        corrected,
        key=widget.key,
        width="content",
        on_change=widget.on_change(lambda on: gallery.select(replace(gallery.selection, corrected=on or None))),
    )


def _show_filter(
    name: str, title: str, all_title: str, values: list[str], value: str | None, select: Callable[[str | None], None]
) -> None:
    options = [ALL, *values]
    shown = value if value in values else ALL
    widget = OwnedWidget.showing(name, shown)
    st.selectbox(
        title,
        options,
        options.index(shown),
        format_func=lambda each: all_title if each == ALL else each,
        key=widget.key,
        label_visibility="collapsed",
        width=140,
        on_change=widget.on_change(lambda chosen: select(chosen or None)),
    )


def _show_failure(gallery: SavedGallery) -> None:
    if gallery.refusal is not None:
        st.html(cards.note(translate("gallery.not_deleted", reason=gallery.refusal.detail or gallery.refusal.title)))
    if isinstance(gallery.failure, ServiceError):
        reason = error_texts.with_reference(gallery.failure.detail or gallery.failure.title, gallery.failure)
        st.html(cards.note(translate("gallery.error", reason=reason)))
    elif gallery.failure is not None:
        st.html(cards.note(translate("gallery.unavailable")))
    elif gallery.deleted_elsewhere:
        st.html(cards.note(translate("gallery.deleted_elsewhere")))


def _show_card(session: Session, client: Client, catalogue: ModelCatalogue, entry: SavedPicture, position: int) -> None:
    gallery = session.gallery.saved
    name = cards.picture_name(position, labels.one_line(entry.corrected or entry.label), entry.created)
    st.html(cards.saved_card(entry))
    with st.container(key=f"card-correction-{entry.id}"):
        show = _show_text_correction if _is_sequence(catalogue, entry) else _show_correction
        show(gallery, client, _labels(catalogue, entry), entry, name)
    with st.container(key=f"card-buttons-{entry.id}", horizontal=True, gap="small"):
        if st.button(
            translate("gallery.open", name=name),
            key=f"open-{entry.id}",
            type="tertiary",
            icon=":material/open_in_full:",
            help=translate("gallery.open_help"),
        ):
            _open(session, client, entry)
        st.button(
            translate("gallery.delete", name=name),
            key=f"delete-{entry.id}",
            type="tertiary",
            icon=":material/delete:",
            on_click=gallery.delete,
            args=[client, entry.id],
        )


def _open(session: Session, client: Client, entry: SavedPicture) -> None:
    """Classify a saved picture on the page again."""
    picture = session.gallery.saved.picture(client, entry.id)
    if picture is not None:
        session.open_picture(file_name(picture), picture)
    st.rerun()


def _show_correction(gallery: SavedGallery, client: Client, known: list[str], entry: SavedPicture, name: str) -> None:
    key = f"label-{entry.id}"
    # The service's value counts, also after a correction that failed or was made elsewhere. It is set in every run, and not the
    # default: what has a default cannot be emptied, which takes the correction back.
    st.session_state[key] = entry.corrected if entry.corrected in known else None
    st.selectbox(
        translate("gallery.correction", name=name),
        known,
        index=None,
        placeholder=translate("gallery.correct"),
        key=key,
        label_visibility="collapsed",
        disabled=not known,
        on_change=lambda: gallery.correct(client, entry.id, st.session_state[key]),
    )


def _show_text_correction(gallery: SavedGallery, client: Client, known: list[str], entry: SavedPicture, name: str) -> None:
    """Show a field for the text that a sequence model should have read; emptied, it takes the correction back."""
    corrected = entry.corrected or ""
    widget = OwnedWidget.showing(f"text-{entry.id}", corrected, translated=False)
    st.text_input(
        translate("gallery.correction", name=name),
        corrected,
        placeholder=translate("gallery.correct"),
        key=widget.key,
        label_visibility="collapsed",
        on_change=widget.on_change(lambda text: gallery.correct(client, entry.id, as_labels(text, known) or None)),
    )


def _is_sequence(catalogue: ModelCatalogue, entry: SavedPicture) -> bool:
    return any(model.card.is_sequence for model in catalogue.models if model.name == entry.model)


def _labels(catalogue: ModelCatalogue, entry: SavedPicture) -> list[str]:
    """Return the labels that a picture can be corrected to; none if its model is no longer in service."""
    return next((model.card.labels for model in catalogue.models if model.name == entry.model), [])
