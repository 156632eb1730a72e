"""The answer as a headline and bars."""

from collections.abc import Mapping
from typing import Final

from ui import markup
from ui.answers import Classification

# Where there are more bars than this, the likeliest come first and the rest is one click away.
ONE_COLUMN: Final = 12
LIKELIEST: Final = 10
# Labels with more letters than these are written smaller.
SHORT: Final = 3
LONG: Final = 14


def headline(answer: Classification) -> str:
    """The label large, how sure the model is, and the top 3 beside it."""
    size = "" if len(answer.label) <= SHORT else " long" if len(answer.label) <= LONG else " longer"
    first = answer.category
    category = f"category {markup.text(first.label)}, {markup.percent(first.confidence)}" if first else ""
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
    """One bar per class in the order given, the winner marked; many flow into two columns."""
    rows = "".join(_bar(label, share, label == winner) for label, share in probabilities.items())
    if len(probabilities) <= ONE_COLUMN:
        return f'<ul class="bars">{rows}</ul>'
    return f'<ul class="bars many" style="--rows: {-(-len(probabilities) // 2)}">{rows}</ul>'


def likeliest(probabilities: Mapping[str, float], winner: str) -> dict[str, float]:
    """The first `LIKELIEST` classes by their share, the winner before all others."""
    ranked = sorted(probabilities.items(), key=lambda each: (each[0] != winner, -each[1]))
    return dict(ranked[:LIKELIEST])


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
