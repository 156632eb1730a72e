"""HTML of an answer: headline, probability bars, and a line of details."""

from collections.abc import Mapping
from typing import Final

from ui.api.schemas import Classification
from ui.components import labels, markup
from ui.i18n.translation import translate

# With more classes than this, only the most likely ones are shown at first.
MAX_BARS_IN_ONE_COLUMN: Final = 12
MOST_LIKELY: Final = 10
# With more classes than this, the others are not shown at all.
MAX_BARS: Final = 100
# Labels with more characters than these are set in smaller fonts.
MAX_SHORT_LABEL: Final = 3
MAX_LONG_LABEL: Final = 14


def headline(classification: Classification) -> str:
    """Return the label in a large font, the confidence, and the top labels."""
    label = labels.joined(classification)
    size = "" if len(label) <= MAX_SHORT_LABEL else " long" if len(label) <= MAX_LONG_LABEL else " longer"
    category = ""
    if first := classification.category:
        category = translate("charts.category", label=first.label, confidence=markup.percent(first.confidence))
    uncertain = classification.rejected or not classification.predicted_labels
    return (
        f'<div class="headline{" uncertain" if uncertain else ""}" data-label="{markup.escape(classification.label)}">'
        f'<div class="label{size}">{markup.escape(label)}</div>'
        f'<div class="score"><span class="confidence">{markup.escape(labels.confidence(classification))}</span>'
        f'<span class="confidence-text">{markup.escape(confidence_text(classification))}</span>'
        f'<span class="muted">{markup.escape(category)}</span></div>'
        f"{markup.top_labels(classification.top)}"
        "</div>"
    )


def confidence_text(classification: Classification) -> str:
    """Describe the confidence in words. The probabilities are calibrated, so fixed thresholds are meaningful."""
    if classification.rejected:
        return translate("charts.best_guess")
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
    """Return the answer in one sentence for screen readers."""
    label, confidence = labels.joined(classification), labels.confidence(classification)
    description = confidence_text(classification)
    if classification.multi_label and not classification.rejected:
        return translate("charts.screen_reader_labels", labels=label, confidence=confidence, description=description)
    return translate("charts.screen_reader", label=label, description=description, confidence=confidence)


def bars(probabilities: Mapping[str, float], classification: Classification) -> str:
    """Return one bar per class, in the given order, with the predicted labels marked; many bars with short names are set in two
    columns."""
    predicted = {each.label for each in classification.predicted_labels}
    rows = "".join(_bar(label, probability, label in predicted) for label, probability in probabilities.items())
    if len(probabilities) <= MAX_BARS_IN_ONE_COLUMN or max(map(len, probabilities)) > MAX_LONG_LABEL:
        return f'<ul class="bars">{rows}</ul>'
    return f'<ul class="bars many" style="--rows: {-(-len(probabilities) // 2)}">{rows}</ul>'


def most_likely(classification: Classification, count: int = MOST_LIKELY) -> dict[str, float]:
    """Return the `count` most likely classes in descending order, the answer's label first."""
    ranked = sorted(classification.probabilities.items(), key=lambda each: (each[0] != classification.label, -each[1]))
    return dict(ranked[:count])


def details(classification: Classification) -> str:
    """Return one muted line with model, provider, batch size and times."""
    model = f"{classification.model} {classification.version}".rstrip()
    parts = [model, classification.provider.removesuffix("ExecutionProvider")]
    size = classification.batch_size
    if size is not None:
        parts.append(translate("charts.batch_of_one") if size == 1 else translate("charts.batch", size=size))
    times = classification.timings_ms
    steps = ", ".join(f"{timing_name(name)} {time:.1f}" for name, time in times.items() if name != "total")
    if "total" in times:
        parts.append(f"{times['total']:.1f} ms ({steps})" if steps else f"{times['total']:.1f} ms")
    return f'<p class="answer-details">{markup.escape(" · ".join(part for part in parts if part))}</p>'


def timing_name(name: str) -> str:
    """Translate the name of a timing; an unknown one keeps the service's name."""
    known = {
        "decode": translate("charts.decode"),
        "preprocess": translate("charts.preprocess"),
        "queue": translate("charts.queue"),
        "inference": translate("charts.inference"),
    }
    return known.get(name, name)


def _bar(label: str, probability: float, predicted: bool) -> str:
    width = f"{min(max(probability, 0), 1):.2%}"
    return (
        f'<li class="bar{" predicted" if predicted else ""}"{" aria-current=true" if predicted else ""}>'
        f'<span class="bar-name">{markup.escape(label)}</span>'
        f'<span class="bar-track"><span class="bar-fill" style="width:{width}"></span></span>'
        f'<span class="bar-value">{markup.percent(probability)}</span></li>'
    )
