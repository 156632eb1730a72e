"""The control "Wrong?" of an answer: the visitor taps the right label, and may have the picture saved with it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.api.client import Client
from ui.api.schemas import Classification, ModelCard
from ui.components import labels, markup
from ui.i18n.translation import translate
from ui.state.corrections import AnsweredPicture
from ui.state.widget_state import OwnedWidget, current_key, replace_widget

WRONG: Final = "wrong"
RIGHT_LABEL: Final = "right-label"
RIGHT_TEXT: Final = "right-text"
# More labels than this are in a list, in which the visitor can search.
MAX_BUTTONS: Final = 62
# Characters of a corrected text.
MAX_TEXT: Final = 200


def show_control(picture: AnsweredPicture, classification: Classification, card: ModelCard) -> None:
    """Show the button that opens the labels of the model. One tap on a label corrects the answer and closes them.

    The answer of a sequence is corrected in a field of text.
    """
    title = translate("correction.unknown") if classification.rejected else translate("correction.wrong")
    with st.popover(title, icon=":material/edit:", type="tertiary", key=current_key(WRONG), on_change="rerun"):
        if card.is_sequence:
            show_text(picture, classification, card.labels)
            return
        # The correction counts, also after another picture.
        label = picture.correction.label if picture.correction.label in card.labels else None
        widget = OwnedWidget.showing(RIGHT_LABEL, label, translated=False)
        choose = widget.on_change(lambda chosen: choose_label(picture, chosen))
        title = translate("correction.which")
        if has_buttons(card.labels):
            st.pills(title, card.labels, default=label, key=widget.key, on_change=choose)
        else:
            st.selectbox(
                title,
                card.labels,
                index=card.labels.index(label) if label else None,
                placeholder=translate("correction.choose"),
                key=widget.key,
                on_change=choose,
            )


def show_text(picture: AnsweredPicture, classification: Classification, known: Sequence[str]) -> None:
    """Show the text that a model with these labels has read, to be corrected, and the button that takes the correction over."""
    text = picture.correction.label or classification.label
    key = f"{RIGHT_TEXT}-{picture.digest[:8]}"
    lines = text.count("\n") + 1
    with st.form(f"{key}-form", border=False):
        title = translate("correction.which_text")
        if lines == 1:
            st.text_input(title, text, max_chars=MAX_TEXT, key=key)
        else:
            st.text_area(title, text, max_chars=MAX_TEXT, key=key)
        st.form_submit_button(translate("correction.take_over"), on_click=choose_text, args=[picture, key, known])


def choose_text(picture: AnsweredPicture, key: str, labels_of_model: Sequence[str]) -> None:
    """Correct the answer to the text of the field and close it."""
    text = as_labels(str(st.session_state[key]), labels_of_model)
    if text:
        picture.correct(text)
    replace_widget(WRONG)


def as_labels(text: str, known: Sequence[str]) -> str:
    """Return a text that somebody typed as one of a model's labels: without spaces, unless the model knows them, without empty
    lines, and in capitals where the model has no small letters."""
    if not any(label.islower() for label in known):
        text = text.upper()
    lines = [line.strip() if " " in known else "".join(line.split()) for line in text.splitlines()]
    return "\n".join(filter(None, lines))


def has_buttons(labels: list[str]) -> bool:
    """Return whether each label has a button of its own: if there are not too many, and none that Markdown would change."""
    return len(labels) <= MAX_BUTTONS and all(map(markup.is_plain, labels))


def choose_label(picture: AnsweredPicture, label: str | None) -> None:
    """Correct the answer to the chosen label and close the labels."""
    if label is not None:
        picture.correct(label)
    replace_widget(WRONG)


def show_result(picture: AnsweredPicture, client: Client, *, can_save: bool) -> None:
    """Show what was corrected, with buttons that save the picture and take the correction back."""
    correction = picture.correction
    if correction.label is None:
        return
    if picture.gallery.pending():
        picture.gallery.save_pending(client)  # before the text that says whether it is saved
    text = f'<p class="corrected" role="status">{markup.escape(result_text(picture, correction.label))}</p>'
    with st.container(key="correction"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(text, width="content")
            st.button(
                translate("correction.undo"),
                key="take-back",
                icon=":material/undo:",
                type="tertiary",
                on_click=picture.take_back,
                args=[client],
            )
        entry = picture.entry
        if can_save and entry is not None and not entry.save_requested:
            icon = ":material/bookmark_add:"
            st.button(translate("correction.keep"), key="keep-correction", icon=icon, type="tertiary", on_click=picture.keep)
            st.html(f'<p class="muted">{markup.escape(translate("correction.visible"))}</p>')


def result_text(picture: AnsweredPicture, label: str) -> str:
    """Return what was corrected, and whether it is saved."""
    entry, label = picture.entry, labels.one_line(label)
    if entry is None and (picture.correction.keep or picture.gallery.saving):
        return translate("correction.kept", label=label)
    if entry is not None and entry.save_requested:
        return translate("correction.waiting", label=label)
    if entry is not None and entry.refusal:
        return translate("correction.refused", label=label)
    return translate("correction.corrected", label=label)
