"""Pictures with their labels, as they hang in the gallery."""

from typing import Final

from ui import markup
from ui.answers import Classification, KeptPicture
from ui.language import say

# Labels with more letters than these are written smaller.
SHORT: Final = 3


def title(text: str, remark: str) -> str:
    """The heading of a row of cards."""
    return f'<h4 class="row-title">{markup.text(text)} <span class="quiet">{markup.text(remark)}</span></h4>'


def remark(text: str) -> str:
    """A quiet line."""
    return f'<p class="quiet">{markup.text(text)}</p>'


def fresh(answer: Classification, thumbnail: bytes | None, refused: str = "") -> str:
    """A picture of this visit, its label and what came next; why the service would not keep it, if it was asked to."""
    picture = markup.image(thumbnail, alt=say("gallery.alt", label=answer.label)) if thumbnail else ""
    reason = f'<p class="card-quiet">{markup.text(say("gallery.refused", reason=refused))}</p>' if refused else ""
    share = f'<span class="card-share">{markup.percent(answer.confidence)}</span>'
    return _card(
        answer.label, picture, f"{share}{_doubt(answer.rejected, several=answer.several)}{markup.top(answer.top[1:])}{reason}"
    )


def kept(entry: KeptPicture) -> str:
    """A picture the service keeps: what the model took it for, and what it shows where someone said so."""
    picture = markup.image(entry.thumbnail, alt=say("gallery.alt", label=entry.label))
    if entry.corrected is None:
        remark = _doubt(entry.rejected)
    elif entry.corrected == entry.label:
        remark = _remark(say("gallery.confirmed"))
    else:
        remark = _remark(say("gallery.corrected", label=entry.label))
    label = entry.corrected or entry.label
    told = f'<p class="card-quiet">{markup.text(entry.model)} · {markup.percent(entry.confidence)}</p>'
    return _card(label, picture, f"{remark}{told}")


def _card(label: str, picture: str, caption: str) -> str:
    size = " long" if len(label) > SHORT else ""
    return (
        f'<figure class="card" data-label="{markup.text(label)}"><div class="frame">{picture}</div>'
        f'<figcaption><span class="card-label{size}">{markup.text(label)}</span>{caption}</figcaption></figure>'
    )


def _doubt(rejected: bool, *, several: bool = False) -> str:
    return _remark(say("gallery.several") if several else say("gallery.rejected")) if rejected else ""


def _remark(text: str) -> str:
    return f'<span class="card-doubt">{markup.text(text)}</span>'
