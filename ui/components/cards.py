"""HTML of the gallery's cards: a picture with its label."""

from typing import Final

from ui.api.schemas import Classification, SavedPicture
from ui.components import labels, markup
from ui.i18n.translation import translate

# Labels with more characters than this are set in a smaller font.
MAX_SHORT_LABEL: Final = 3


def row_title(text: str, note: str) -> str:
    """Return the heading of a row of cards."""
    return f'<h4 class="row-title">{markup.escape(text)} <span class="muted">{markup.escape(note)}</span></h4>'


def note(text: str) -> str:
    """Return a paragraph in the muted colour."""
    return f'<p class="muted">{markup.escape(text)}</p>'


def session_card(classification: Classification, thumbnail: bytes | None, refusal: str = "") -> str:
    """Return the card of a picture of this session: its label, the other top labels, and why the service refused to save it."""
    label = labels.joined(classification)
    alt = translate("gallery.alt", label=label)
    picture = markup.image(thumbnail, alt=alt) if thumbnail else ""
    reason = translate("gallery.not_saved", reason=refusal) if refusal else ""
    refused = f'<p class="card-muted">{markup.escape(reason)}</p>' if refusal else ""
    # Each label of a multi-label model has its own probability in the list.
    single = not classification.multi_label
    confidence = f'<span class="card-confidence">{markup.percent(classification.confidence)}</span>' if single else ""
    others = classification.top[1:] if single else classification.top
    status = _rejected(classification.rejected, several=classification.several_characters)
    return _card(label, picture, f"{confidence}{status}{markup.top_labels(others)}{refused}")


def saved_card(entry: SavedPicture) -> str:
    """Return the card of a saved picture: the corrected label if there is one, else the predicted one."""
    picture = markup.image(entry.thumbnail, alt=translate("gallery.alt", label=entry.label))
    if entry.corrected is None:
        status = _rejected(entry.rejected)
    elif entry.corrected == entry.label:
        status = _status(translate("gallery.confirmed"))
    else:
        status = _status(translate("gallery.corrected", label=entry.label))
    label = entry.corrected or entry.label
    details = f'<p class="card-muted">{markup.escape(entry.model)} · {markup.percent(entry.confidence)}</p>'
    return _card(label, picture, f"{status}{details}")


def _card(label: str, picture: str, caption: str) -> str:
    size = " long" if len(label) > MAX_SHORT_LABEL else ""
    return (
        f'<figure class="card" data-label="{markup.escape(label)}"><div class="frame">{picture}</div>'
        f'<figcaption><span class="card-label{size}">{markup.escape(label)}</span>{caption}</figcaption></figure>'
    )


def _rejected(rejected: bool, *, several: bool = False) -> str:
    return _status(translate("gallery.several") if several else translate("gallery.rejected")) if rejected else ""


def _status(text: str) -> str:
    return f'<span class="card-status">{markup.escape(text)}</span>'
