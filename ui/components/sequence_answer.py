"""HTML of the answer of a sequence model: the text, its unsure characters underlined, and other readings."""

from collections.abc import Sequence
from typing import Final

from ui.api.schemas import Character, Classification
from ui.components import charts, labels, markup
from ui.i18n.translation import translate

# Lines with more characters than these are set in smaller fonts.
MAX_SHORT_LINE: Final = 8
MAX_LONG_LINE: Final = 16
# Unsure characters that a sentence names.
MAX_NAMED: Final = 4


def to_html(classification: Classification, selected: int | None) -> str:
    """Return the text in a large font with its confidence, or, where it was rejected, what is unsure; then the other readings.

    Args:
        selected: the number of the selected character, from 0, whose bars are shown too.
    """
    rejected = " rejected" if classification.rejected else ""
    return (
        f'<div class="headline sequence{rejected}" data-label="{markup.escape(classification.label)}">'
        f"{_text(classification, selected)} {_notice(classification) if classification.rejected else _score(classification)}"
        f"</div>{other_readings(classification)}{selected_character(classification, selected)}"
    )


def is_recognised(classification: Classification) -> bool:
    """Whether a part of a rejected sequence was read, so that its text is worth showing."""
    return not classification.rejected or not all(each.rejected for each in classification.characters or [])


def screen_reader_text(classification: Classification) -> str:
    """Return the answer in one sentence for screen readers."""
    if classification.rejected:
        label = labels.one_line(classification.label)
        return translate("sequence.screen_reader_unsure", label=label, characters=unsure_characters(classification))
    return charts.screen_reader_text(classification)


def unsure_characters(classification: Classification) -> str:
    """Return which characters are unsure, counted from 1, such as "character 2 (“9”)"."""
    named = [
        translate("sequence.unsure_one", number=number, label=each.label)
        for number, each in enumerate(classification.characters or [], start=1)
        if each.unsure
    ]
    return ", ".join(named[:MAX_NAMED]) + (", …" if len(named) > MAX_NAMED else "")


def character_name(number: int, characters: Sequence[Character]) -> str:
    """Return the accessible name of the character with this number, from 0."""
    each = characters[number]
    count, confidence = len(characters), markup.percent(each.confidence)
    if each.unsure:
        return translate("sequence.unsure_character", number=number + 1, count=count, label=each.label, confidence=confidence)
    return translate("sequence.character", number=number + 1, count=count, label=each.label, confidence=confidence)


def other_readings(classification: Classification) -> str:
    """Return the next likeliest texts with their probabilities; nothing where they are all below what a bar needs.

    A rejected text has no probabilities beside it: a high one would look like an answer.
    """
    others = [each for each in classification.top[1:] if each.confidence >= charts.MIN_SHOWN]
    if not others:
        return ""
    shares = ["" if classification.rejected else f" <span>{markup.percent(each.confidence)}</span>" for each in others]
    texts = [f"<b>{markup.escape(labels.one_line(each.label))}</b>" for each in others]
    items = "".join(f"<li>{text}{share}</li>" for text, share in zip(texts, shares, strict=True))
    return f'<div class="readings"><span>{markup.escape(translate("sequence.or"))}</span> <ul>{items}</ul></div>'


def selected_character(classification: Classification, selected: int | None) -> str:
    """Return the selected character with its bars, or how to select one."""
    characters = classification.characters or []
    if selected is None or selected >= len(characters):
        text = f'<p class="muted">{markup.escape(translate("sequence.select"))}</p>'
        return f'<div class="selected-character">{text if characters else ""}</div>'
    each = characters[selected]
    alone = Classification(
        model=classification.model,
        label=each.label,
        confidence=each.confidence,
        probabilities={score.label: score.confidence for score in each.top},
        rejected=each.rejected,
    )
    title = markup.escape(translate("sequence.selected", number=selected + 1, count=len(characters)))
    bars = charts.bar_list(alone.probabilities, alone) if alone.probabilities else ""
    return (
        f'<section class="selected-character" data-number="{selected}"><h4 class="part">{title}: '
        f"<b>{markup.escape(each.label)}</b></h4>{bars}</section>"
    )


def _text(classification: Classification, selected: int | None) -> str:
    """Return the text with an element for each character, so that the unsure ones can be underlined."""
    text, characters = classification.label, classification.characters or []
    longest = max(map(len, text.split("\n")), default=0)
    size = "" if longest <= MAX_SHORT_LINE else " long" if longest <= MAX_LONG_LINE else " longer"
    parts: list[str] = []
    position = 0
    for number, each in enumerate(characters):
        start = text.find(each.label, position)
        if start < 0:  # the text is not made of the characters
            parts, position = [], 0
            break
        kinds = [name for name, is_so in (("unsure", each.unsure), ("selected", number == selected)) if is_so]
        element = "u" if each.unsure else "span"
        kind = f' class="{" ".join(kinds)}"' if kinds else ""
        parts.append(f"{markup.escape(text[position:start])}<{element}{kind}>{markup.escape(each.label)}</{element}>")
        position = start + len(each.label)
    return f'<div class="label{size}">{"".join(parts)}{markup.escape(text[position:])}</div>'


def _score(classification: Classification) -> str:
    return (
        f'<div class="score"><span class="confidence-text">{markup.escape(charts.confidence_text(classification))}</span> '
        f'<span class="confidence">{markup.percent(classification.confidence)}</span></div>'
    )


def _notice(classification: Classification) -> str:
    title = markup.escape(translate("sequence.unsure"))
    text = markup.escape(translate("sequence.unsure_of", characters=unsure_characters(classification)))
    return f'<div class="notice" role="note"><p class="notice-title">{title}</p> <p>{text}</p></div>'
