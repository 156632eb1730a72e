"""The gallery's cards: HTML of a picture with its label, and what its buttons call it."""

from datetime import datetime
from typing import Final

from ui.api.gallery_schemas import SavedPicture
from ui.api.schemas import Classification
from ui.components import charts, labels, markup, rejection, times
from ui.i18n.translation import translate

# Labels with more characters than this are set in a smaller font.
MAX_SHORT_LABEL: Final = 3


def row_title(text: str, note: str) -> str:
    """Return the heading of a row of cards."""
    return f'<h4 class="row-title">{markup.escape(text)} <span class="muted">{markup.escape(note)}</span></h4>'


def note(text: str, *, announced: bool = False) -> str:
    """Return a paragraph in the muted colour; screen readers announce it when it appears if `announced`."""
    return f'<p class="muted"{" role=alert" if announced else ""}>{markup.escape(text)}</p>'


def picture_name(number: int, label: str, created: datetime) -> str:
    """Return what the buttons of the card with this number call its picture, such as "picture 3 (7, 14:05)"."""
    time = times.local_time(created)
    if markup.is_plain(label):
        return translate("gallery.name", number=number, label=label, time=time)
    return translate("gallery.name_without_label", number=number, time=time)


def session_card(
    classification: Classification,
    thumbnail: bytes | None,
    refusal: str = "",
    corrected: str | None = None,
    created: datetime | None = None,
) -> str:
    """Return the card of a picture of this session: its label, or the corrected one, the other top labels, when it was answered
    if that is given, and why the service refused to save it. A rejected picture has no label but what it might be."""
    predicted = labels.joined(classification)
    label = labels.one_line(corrected) if corrected else predicted
    alt = translate("gallery.alt", label=label)
    picture = markup.image(thumbnail, alt=alt) if thumbnail else ""
    reason = translate("gallery.not_saved", reason=refusal) if refusal else ""
    refused = f'<p class="card-muted">{markup.escape(reason)}</p>' if refusal else ""
    if classification.rejected and corrected is None:
        status = translate("gallery.several") if classification.several_characters else translate("gallery.rejected")
        guess = "" if classification.several_characters else rejection.might_be(classification)
        guesses = f'<p class="card-muted">{markup.escape(guess)}</p>' if guess else ""
        return _card(label, picture, f"{guesses}{_time(created) if created else ''}{refused}", shown=status)
    # Each label of a multi-label model has its own probability in the list.
    single = not classification.multi_label
    confidence = f'<span class="card-confidence">{markup.percent(classification.confidence)}</span>' if single else ""
    others = classification.top[1:] if single else classification.top
    if classification.characters is not None:
        others = [each for each in others if each.confidence >= charts.MIN_SHOWN]
    others = [each.model_copy(update={"label": labels.one_line(each.label)}) for each in others]
    status = "" if corrected is None else _corrected(predicted, label)
    return _card(label, picture, f"{confidence}{status}{markup.top_labels(others)}{_time(created) if created else ''}{refused}")


def saved_card(entry: SavedPicture) -> str:
    """Return the card of a saved picture: the corrected label if there is one, else the predicted one."""
    predicted = labels.one_line(entry.label)
    picture = markup.image(entry.thumbnail, alt=translate("gallery.alt", label=predicted))
    label = labels.one_line(entry.corrected) if entry.corrected else predicted
    if entry.rejected and entry.corrected is None:
        details = f'<p class="card-muted">{markup.escape(entry.model)}</p>'
        return _card(label, picture, f"{details}{_time(entry.created)}", shown=translate("gallery.rejected"))
    status = "" if entry.corrected is None else _corrected(predicted, label)
    details = f'<p class="card-muted">{markup.escape(entry.model)} · {markup.percent(entry.confidence)}</p>'
    return _card(label, picture, f"{status}{details}{_time(entry.created)}")


def _card(label: str, picture: str, caption: str, *, shown: str = "") -> str:
    """Return a card; `shown` stands in place of a label that is no answer."""
    text = shown or label
    size = " long" if len(text) > MAX_SHORT_LABEL else ""
    return (
        f'<figure class="card" data-label="{markup.escape(label)}"><div class="frame">{picture}</div>'
        f'<figcaption><span class="card-label{size}">{markup.escape(text)}</span> {caption}</figcaption></figure>'
    )


def _time(when: datetime) -> str:
    return f'<p class="card-muted"><time datetime="{when.isoformat()}">{markup.escape(times.local_time(when))}</time></p>'


def _corrected(predicted: str, corrected: str) -> str:
    if corrected == predicted:
        return _status(translate("gallery.confirmed"))
    return _status(translate("gallery.corrected", label=predicted))


def _status(text: str) -> str:
    return f' <span class="card-status">{markup.escape(text)}</span>'
