"""The answer as a headline and bars."""

from collections.abc import Mapping
from typing import Final

from ui import markup
from ui.answers import Classification

# More bars than this flow into columns.
ONE_COLUMN: Final = 12


def headline(answer: Classification) -> str:
    """The label large, how sure the model is, and the top 3 beside it."""
    size = " long" if len(answer.label) > 3 else ""
    category = f"{markup.text(answer.category.label)}, {markup.percent(answer.category.confidence)}" if answer.category else ""
    return (
        f'<div class="headline{" rejected" if answer.rejected else ""}" data-label="{markup.text(answer.label)}">'
        f'<div class="label{size}">{markup.text(answer.label)}</div>'
        f'<div class="sureness"><span class="confidence">{markup.percent(answer.confidence)}</span>'
        f'<span class="quiet">{"best guess" if answer.rejected else "confidence"}</span>'
        f'<span class="quiet">{category}</span></div>'
        f"{markup.top(answer.top)}"
        "</div>"
    )


def bars(probabilities: Mapping[str, float], winner: str) -> str:
    """One bar per class in the model's order, the winner marked."""
    rows = "".join(_bar(label, share, label == winner) for label, share in probabilities.items())
    return f'<ul class="bars{" many" if len(probabilities) > ONE_COLUMN else ""}">{rows}</ul>'


def fine_print(answer: Classification) -> str:
    """One quiet line: model, provider, batch, time."""
    parts = [f"{answer.model} {answer.version}".rstrip(), answer.provider.removesuffix("ExecutionProvider")]
    if answer.batch_size is not None:
        parts.append("alone in its batch" if answer.batch_size == 1 else f"batch of {answer.batch_size}")
    steps = ", ".join(f"{name} {time:.1f}" for name, time in answer.timings_ms.items() if name != "total")
    if "total" in answer.timings_ms:
        parts.append(f"{answer.timings_ms['total']:.1f} ms ({steps})" if steps else f"{answer.timings_ms['total']:.1f} ms")
    return f'<p class="fine-print">{markup.text(" · ".join(part for part in parts if part))}</p>'


def _bar(label: str, share: float, winner: bool) -> str:
    width = f"{min(max(share, 0), 1):.2%}"
    return (
        f'<li class="bar{" winner" if winner else ""}"><span class="bar-name">{markup.text(label)}</span>'
        f'<span class="bar-track"><span class="bar-fill" style="width:{width}"></span></span>'
        f'<span class="bar-share">{markup.percent(share)}</span></li>'
    )
