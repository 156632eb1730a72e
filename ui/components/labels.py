"""The predicted label of a picture and its confidence as texts; of a multi-label model all labels that apply."""

from typing import Final

from ui.api.schemas import Classification
from ui.components import markup
from ui.i18n.translation import translate

# Of more labels than this, only the most probable ones are named.
MAX_NAMED: Final = 4


def joined(classification: Classification) -> str:
    """Return the predicted label, or the predicted labels of a multi-label model, if there are any."""
    named = [each.label for each in classification.predicted_labels]
    if not named:
        return translate("labels.none")
    if len(named) <= MAX_NAMED:
        return ", ".join(map(one_line, named))
    return translate("labels.more", labels=", ".join(named[:MAX_NAMED]), count=len(named) - MAX_NAMED)


def one_line(label: str) -> str:
    """Return the text of a sequence with its lines side by side."""
    return " / ".join(label.split("\n"))


def confidence(classification: Classification) -> str:
    """Return the confidence; of a multi-label model how many of its labels apply, since each has a probability for itself."""
    if not classification.multi_label or classification.rejected:
        return markup.percent(classification.confidence)
    count, total = len(classification.predicted_labels), len(classification.probabilities)
    return translate("labels.count", count=count, total=f"{total:,}")
