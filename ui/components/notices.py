"""Notices of the page: what to do first, errors, and a service that does not answer."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.api.client import ServiceError, ServiceUnavailable
from ui.api.schemas import ModelCard
from ui.components import error_texts, markup
from ui.i18n.translation import translate
from ui.state.session import DRAW, UPLOAD

# Labels listed in the hint.
MAX_LISTED_LABELS: Final = 60
MAX_LISTED_CHARACTERS: Final = 400
# With more kinds of labels than this, the hint does not name what the model reads.
MAX_KINDS: Final = 3
# Errors that the same picture would cause again: no retry button.
PICTURE_ERRORS: Final = ("bad_request", "too_large", "unsupported_media", "undecodable", "no_ink")


def empty_hint(source: str, card: ModelCard) -> str:
    """Return what to do while there is no picture, and the labels that the model knows."""
    thing, labels = describe_pictures(card), card.labels
    if source == DRAW:
        title = translate("notices.draw", thing=thing) if thing else translate("notices.draw_anything")
        if card.is_sequence:
            title = translate("notices.write", thing=thing)
    elif source == UPLOAD:
        title = translate("notices.upload", thing=thing) if thing else translate("notices.upload_anything")
    else:
        title = translate("notices.photograph", thing=thing) if thing else translate("notices.photograph_anything")
    known = f'<p class="muted">{markup.escape(translate("notices.labels", labels=list_labels(labels)))}</p>' if labels else ""
    return (
        f'<div class="empty-hint"><p class="hint-title">{markup.escape(title)}</p>'
        f'<p class="muted">{markup.escape(translate("notices.automatic"))}</p>{known}{slow_notice()}</div>'
    )


def list_labels(labels: Sequence[str]) -> str:
    """Return the labels, or the first of them where they are many or long."""
    shown = labels[:MAX_LISTED_LABELS]
    while sum(map(len, shown)) > MAX_LISTED_CHARACTERS and len(shown) > 1:
        shown = shown[:-1]
    return ", ".join(shown) + (", ..." if len(shown) < len(labels) else "")


def slow_notice() -> str:
    """Return the line that the stylesheet shows while a rerun takes long."""
    return f'<p class="slow-notice">{markup.escape(translate("notices.slow"))}</p>'


def show_failure(failure: ServiceUnavailable | ServiceError, key: str = "retry") -> None:
    """Show why a request failed, and a retry button if a retry may help."""
    if isinstance(failure, ServiceUnavailable):
        st.html(unavailable_alert(failure))
        show_retry(key)
        return
    title, details = error_texts.title(failure), error_texts.detail(failure)
    st.html(alert(error_texts.advice(failure), title=title, details=details, reference=failure.request_id))
    if failure.code not in PICTURE_ERRORS:
        show_retry(key)


def alert(message: str, *, title: str = "", details: str = "", reference: str = "") -> str:
    """Return an error box that screen readers announce; the details are folded, with the request id as a reference that a
    visitor can give to the operator."""
    heading = f"<b>{markup.escape(title)}{'.' if message else ''}</b> " if title else ""
    more = " " + folded(translate("notices.details"), details, _reference(reference)) if details else ""
    return f'<div class="notice alert" role="alert"><p>{heading}{markup.escape(message)}</p>{more}</div>'


def folded(title: str, text: str, more: str = "") -> str:
    """Return a text that shows its title only, until the visitor opens it; `more` is HTML that follows it."""
    return f"<details><summary>{markup.escape(title)}</summary> <p>{markup.escape(text)}</p>{more}</details>"


def _reference(request_id: str) -> str:
    """Return the paragraph with the request id, which one click selects."""
    if not request_id:
        return ""
    text = markup.escape(translate("notices.reference"))
    return f' <p class="reference">{text} <code>{markup.escape(request_id)}</code></p>'


def unavailable_alert(failure: ServiceUnavailable) -> str:
    """Return an error box that says that the service does not answer and nothing is lost; address and reason are folded."""
    reason = error_texts.unavailable_reason(failure)
    details = translate("notices.unavailable_details", address=failure.address, reason=reason)
    title = translate("notices.unavailable")
    return alert(translate("notices.nothing_lost"), title=title, details=details, reference=failure.request_id)


def show_retry(key: str) -> None:
    """Show the retry button. Pressing it reruns the page, which repeats the requests that failed."""
    # Two models may fail side by side, and a keyboard shortcut can belong to one button only.
    st.button(translate("notices.retry"), key=key, icon=":material/refresh:", shortcut="Enter" if key == "retry" else None)


def describe_pictures(card: ModelCard) -> str:
    """Return what a model's pictures show, as `describe_labels`; an empty text for a model of photos, whose labels may be any
    words, such as "fresh" and "rotten". A sequence reads a number or a text."""
    if card.is_sequence:
        return translate("notices.a_number") if reads_numbers(card) else translate("notices.a_text")
    return "" if card.subject == "photo" else describe_labels(card.labels)


def reads_numbers(card: ModelCard) -> bool:
    """Whether all labels of a model are digits."""
    return all(label.isdigit() for label in card.labels)


def describe_labels(labels: Sequence[str]) -> str:
    """Return what the labels have in common, such as "a digit or a letter"; an empty text if there are too many kinds."""
    kinds = list(dict.fromkeys(map(label_kind, labels)))
    return alternatives(kinds) if 0 < len(kinds) <= MAX_KINDS else ""


def alternatives(names: Sequence[str]) -> str:
    """Return names, at least one, as alternatives: "a, b or c"."""
    if len(names) == 1:
        return names[0]
    return translate("notices.or", others=", ".join(names[:-1]), last=names[-1])


def label_kind(label: str) -> str:
    """Return what a label of one character is, such as "a digit"; a longer label stands for itself."""
    word = label if len(label) != 1 else "digit" if label.isdigit() else "letter" if label.isalpha() else "sign"
    known = {
        "digit": translate("notices.a_digit"),
        "letter": translate("notices.a_letter"),
        "sign": translate("notices.a_sign"),
        "drawing": translate("notices.a_drawing"),
    }
    if word in known:
        return known[word]
    return translate("notices.an", label=word) if word[:1] in tuple("AEIOUaeiou") else translate("notices.a", label=word)
