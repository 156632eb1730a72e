"""The technical details of an answer: model, device, batch, times, and the reason of a rejection as the service sends it."""

from ui.api.schemas import Classification, Model
from ui.components import markup, model_titles
from ui.i18n.translation import translate


def to_html(classification: Classification, model: Model) -> str:
    """Return the details as a list of terms with their values; what the service does not send is left out."""
    rows = [
        (translate("details.model"), f"{classification.model} {classification.version}".rstrip()),
        (translate("details.description"), model_titles.title(model)),
        (translate("details.provider"), classification.provider.removesuffix("ExecutionProvider")),
        (translate("details.batch"), "" if classification.batch_size is None else str(classification.batch_size)),
        (translate("details.category"), _category(classification)),
        (translate("details.times"), _times(classification)),
        (translate("details.reject_reason"), classification.reject_reason or ""),
    ]
    cells = "".join(f"<dt>{markup.escape(term)}</dt> <dd>{markup.escape(value)}</dd> " for term, value in rows if value)
    return f'<dl class="answer-details">{cells}</dl>'


def timing_name(name: str) -> str:
    """Translate the name of a timing; an unknown one keeps the service's name."""
    known = {
        "decode": translate("details.decode"),
        "preprocess": translate("details.preprocess"),
        "queue": translate("details.queue"),
        "inference": translate("details.inference"),
    }
    return known.get(name, name)


def _times(classification: Classification) -> str:
    times = classification.timings_ms
    steps = ", ".join(f"{timing_name(name)} {time:.1f}" for name, time in times.items() if name != "total")
    if "total" not in times:
        return steps
    return f"{times['total']:.1f} ms ({steps})" if steps else f"{times['total']:.1f} ms"


def _category(classification: Classification) -> str:
    category = classification.category
    return f"{category.label}, {markup.percent(category.confidence)}" if category else ""
