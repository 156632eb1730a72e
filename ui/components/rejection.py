"""The answer to a picture that the model rejected: that it was not recognised, what it might be, and what to do."""

from typing import Final

from ui.api.schemas import Classification, ModelCard
from ui.components import markup, notices
from ui.i18n.translation import translate

# A rejected picture might be one of so many labels, each at least so likely.
MAX_GUESSES: Final = 3
MIN_GUESS: Final = 0.1


def to_html(classification: Classification, card: ModelCard) -> str:
    """Return what takes the place of the headline. No label is in a large font."""
    if classification.several_characters:
        guess, advice = "", translate("rejection.one_at_a_time")
    else:
        guess = might_be(classification)
        drawn = card.subject not in ("object", "photo")
        advice = translate("rejection.advice") if drawn else translate("rejection.photo_advice")
    sentences = " ".join(f"<p>{markup.escape(text)}</p>" for text in (guess, advice) if text)
    return (
        f'<div class="headline rejected" data-label="{markup.escape(classification.label)}"><div class="notice" role="note">'
        f'<p class="notice-title">{markup.escape(title(classification))}</p> {sentences}</div></div>'
    )


def text(classification: Classification) -> str:
    """Return the answer in one or two sentences for screen readers."""
    if classification.several_characters:
        return title(classification)
    return f"{title(classification)} {might_be(classification)}"


def title(classification: Classification) -> str:
    """Return why the picture was rejected: it shows several characters, or nothing that the model knows."""
    return translate("rejection.several") if classification.several_characters else translate("rejection.title")


def might_be(classification: Classification) -> str:
    """Return the labels that come closest. Their probabilities are left out: a high one would look like an answer."""
    ranked = sorted(classification.probabilities.items(), key=lambda each: -each[1])
    close = [label for label, value in ranked if value >= MIN_GUESS and label != classification.label]
    labels = notices.alternatives([classification.label, *close][:MAX_GUESSES])
    return translate("rejection.might_be", labels=labels)
