"""Notices of the page: what to do first, rejected pictures, errors, and a service that does not answer."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.api.client import ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, ModelCard
from ui.components import error_texts, markup
from ui.i18n.translation import translate
from ui.state.session import DRAW, UPLOAD

# Labels listed in the hint.
MAX_LISTED_LABELS: Final = 60
MAX_LISTED_CHARACTERS: Final = 400
# With more kinds of labels than this, the hint does not name what the model reads.
MAX_KINDS: Final = 3
# Errors that the same picture would cause again: no retry button.
PICTURE_ERRORS: Final = ("too_large", "unsupported_media", "undecodable", "no_ink")


def empty_hint(source: str, card: ModelCard) -> str:
    """Return what to do while there is no picture, and the labels that the model knows."""
    thing, labels = describe_pictures(card), card.labels
    if source == DRAW:
        title = translate("notices.draw", thing=thing) if thing else translate("notices.draw_anything")
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


def rejection_notice(classification: Classification, card: ModelCard) -> str:
    """Return why a picture was rejected and what to do: it is out of distribution, or shows several characters."""
    if classification.several_characters:
        title, advice = translate("notices.several"), translate("notices.one_at_a_time")
    else:
        drawn = card.subject not in ("object", "photo")
        thing = describe_pictures(card)
        advice = translate("notices.rejected_advice") if drawn else translate("notices.rejected_photo_advice")
        if thing:
            title = translate("notices.rejected", thing=thing)
        else:
            title = translate("notices.rejected_by_model", model=classification.model)
    reason = classification.reject_reason
    details = f'<p class="muted">{markup.escape(reason)}</p>' if reason else ""
    return (
        f'<div class="notice" role="note"><p><b>{markup.escape(title)}</b> '
        f"{markup.escape(translate('notices.only_a_guess'))}</p>"
        f"<p>{markup.escape(advice)}</p>{details}</div>"
    )


def show_failure(failure: ServiceUnavailable | ServiceError, key: str = "retry") -> None:
    """Show why a request failed, and a retry button if a retry may help."""
    if isinstance(failure, ServiceUnavailable):
        st.html(alert(unavailable_text(failure)))
        show_retry(key)
        return
    title, advice = error_texts.title(failure), error_texts.advice(failure)
    st.html(alert(error_texts.detail(failure), title=title, advice=advice))
    if failure.code not in PICTURE_ERRORS:
        show_retry(key)


def alert(message: str, *, title: str = "", advice: str = "") -> str:
    """Return an error box that screen readers announce."""
    heading = f"<b>{markup.escape(title)}</b>{': ' if message else ''}" if title else ""
    more = f"<p>{markup.escape(advice)}</p>" if advice else ""
    return f'<div class="notice alert" role="alert"><p>{heading}{markup.escape(message)}</p>{more}</div>'


def unavailable_text(failure: ServiceUnavailable) -> str:
    """Return which address does not answer, why, and that nothing is lost."""
    return translate("notices.unavailable", address=failure.address, reason=error_texts.unavailable_reason(failure))


def show_retry(key: str) -> None:
    """Show the retry button. Pressing it reruns the page, which repeats the requests that failed."""
    # Two models may fail side by side, and a keyboard shortcut can belong to one button only.
    st.button(translate("notices.retry"), key=key, icon=":material/refresh:", shortcut="Enter" if key == "retry" else None)


def describe_pictures(card: ModelCard) -> str:
    """Return what a model's pictures show, as `describe_labels`; an empty text for a model of photos, whose labels may be any
    words, such as "fresh" and "rotten"."""
    return "" if card.subject == "photo" else describe_labels(card.labels)


def describe_labels(labels: Sequence[str]) -> str:
    """Return what the labels have in common, such as "a digit or a letter"; an empty text if there are too many kinds."""
    kinds = list(dict.fromkeys(map(label_kind, labels)))
    if not kinds or len(kinds) > MAX_KINDS:
        return ""
    if len(kinds) == 1:
        return kinds[0]
    return translate("notices.or", others=", ".join(kinds[:-1]), last=kinds[-1])


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
