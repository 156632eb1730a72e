"""HTML of an answer: headline and probability bars."""

from collections.abc import Mapping
from typing import Final

from ui.api.schemas import Classification
from ui.components import labels, markup
from ui.i18n.translation import translate

# With more classes than this, the bars show the most likely ones in descending order.
MAX_BARS_IN_ORDER: Final = 12
MOST_LIKELY: Final = 10
# Classes that are less likely have no bar.
MIN_SHOWN: Final = 0.001
# Of more further classes than this, only the most likely ones can be unfolded.
MAX_BARS: Final = 100
# With more bars than this, they are set in two columns.
MAX_BARS_IN_ONE_COLUMN: Final = 12
# Labels with more characters than these are set in smaller fonts.
MAX_SHORT_LABEL: Final = 3
MAX_LONG_LABEL: Final = 14


def headline(classification: Classification) -> str:
    """Return the label in a large font and the confidence in words and as a number."""
    label = labels.joined(classification)
    size = "" if len(label) <= MAX_SHORT_LABEL else " long" if len(label) <= MAX_LONG_LABEL else " longer"
    category = classification.category.label if classification.category else ""
    uncertain = not classification.predicted_labels
    # Spaces between the elements keep their words apart where the text is read without the layout.
    return (
        f'<div class="headline{" uncertain" if uncertain else ""}" data-label="{markup.escape(classification.label)}">'
        f'<div class="label{size}">{markup.escape(label)}</div> '
        f'<div class="score"><span class="confidence-text">{markup.escape(confidence_text(classification))}</span> '
        f'<span class="confidence">{markup.escape(labels.confidence(classification))}</span> '
        f'<span class="muted">{markup.escape(category)}</span></div>'
        "</div>"
    )


def confidence_text(classification: Classification) -> str:
    """Describe the confidence in words. The probabilities are calibrated, so fixed thresholds are meaningful."""
    if classification.multi_label:
        return translate("charts.multi_label")
    if classification.confidence >= 0.99:
        return translate("charts.almost_certain")
    if classification.confidence >= 0.9:
        return translate("charts.very_likely")
    if classification.confidence >= 0.7:
        return translate("charts.likely")
    if classification.confidence >= 0.4:
        return translate("charts.unsure")
    return translate("charts.a_guess")


def screen_reader_text(classification: Classification) -> str:
    """Return the answer to a picture that was not rejected in one sentence for screen readers."""
    label, confidence = labels.joined(classification), labels.confidence(classification)
    description = confidence_text(classification)
    if classification.multi_label:
        return translate("charts.screen_reader_labels", labels=label, confidence=confidence, description=description)
    return translate("charts.screen_reader", label=label, description=description, confidence=confidence)


def bars(classification: Classification) -> str:
    """Return a bar for each class of at least `MIN_SHOWN` and one line for the others.

    Up to `MAX_BARS_IN_ORDER` classes are in the order of the model's labels; of more, the `MOST_LIKELY` have bars in descending
    order, and the others are folded.
    """
    shown, others = split(classification)
    return f"{bar_list(shown, classification)}{other_classes(others, classification)}"


def folded_bars(classification: Classification) -> str:
    """Return the bars of a rejected picture: folded, none of them marked."""
    shown = most_likely(classification, MAX_BARS)
    if not shown:
        return ""
    title = markup.escape(translate("charts.all_shares"))
    return f'<details class="other-classes"><summary>{title}</summary>{bar_list(shown, classification)}</details>'


def split(classification: Classification) -> tuple[dict[str, float], dict[str, float]]:
    """Return the probabilities that have bars, in their order, and the others."""
    probabilities = classification.probabilities
    likely = probabilities if len(probabilities) <= MAX_BARS_IN_ORDER else most_likely(classification, MOST_LIKELY)
    shown = {label: value for label, value in likely.items() if value >= MIN_SHOWN or label == classification.label}
    return shown, {label: value for label, value in probabilities.items() if label not in shown}


def most_likely(classification: Classification, count: int) -> dict[str, float]:
    """Return the `count` most likely classes in descending order, the answer's label first."""
    ranked = sorted(classification.probabilities.items(), key=lambda each: (each[0] != classification.label, -each[1]))
    return dict(ranked[:count])


def other_classes(others: Mapping[str, float], classification: Classification) -> str:
    """Return one line about the classes without a bar; those of at least `MIN_SHOWN` can be unfolded."""
    if not others:
        return ""
    count = f"{len(others):,}"
    ranked = sorted(others.items(), key=lambda each: -each[1])[:MAX_BARS]
    likely = {label: value for label, value in ranked if value >= MIN_SHOWN}
    if not likely:
        text = translate("charts.other_class") if len(others) == 1 else translate("charts.other_classes", count=count)
        return f'<p class="other-classes">{markup.escape(text)}</p>'
    title = translate("charts.less_likely_classes", count=count, highest=markup.percent(ranked[0][1]))
    return (
        f'<details class="other-classes"><summary>{markup.escape(title)}</summary>{bar_list(likely, classification)}</details>'
    )


def bar_list(probabilities: Mapping[str, float], classification: Classification) -> str:
    """Return one bar per class, in the given order, with the predicted labels marked unless the picture was rejected; many bars
    with short names are set in two columns."""
    predicted = set() if classification.rejected else {each.label for each in classification.predicted_labels}
    rows = "".join(_bar(label, probability, label in predicted) for label, probability in probabilities.items())
    if len(probabilities) <= MAX_BARS_IN_ONE_COLUMN or max(map(len, probabilities)) > MAX_LONG_LABEL:
        return f'<ul class="bars">{rows}</ul>'
    return f'<ul class="bars many" style="--rows: {-(-len(probabilities) // 2)}">{rows}</ul>'


def _bar(label: str, probability: float, predicted: bool) -> str:
    width = f"{min(max(probability, 0), 1):.2%}"
    name = markup.escape(label)
    return (
        f'<li class="bar{" predicted" if predicted else ""}"{" aria-current=true" if predicted else ""} data-label="{name}">'
        f'<span class="bar-name">{name}</span> '
        f'<span class="bar-track"><span class="bar-fill" style="width:{width}"></span></span> '
        f'<span class="bar-value">{markup.percent(probability)}</span></li>'
    )
