"""An answer as a headline, bars and fine print."""

from collections.abc import Mapping
from typing import Final

from ui import markup
from ui.answers import Classification
from ui.language import say

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
    category = say("charts.category", label=first.label, share=markup.percent(first.confidence)) if first else ""
    return (
        f'<div class="headline{" rejected" if answer.rejected else ""}" data-label="{markup.text(answer.label)}">'
        f'<div class="label{size}">{markup.text(answer.label)}</div>'
        f'<div class="sureness"><span class="confidence">{markup.percent(answer.confidence)}</span>'
        f'<span class="words">{markup.text(sureness(answer))}</span>'
        f'<span class="quiet">{markup.text(category)}</span></div>'
        f"{markup.top(answer.top)}"
        "</div>"
    )


def sureness(answer: Classification) -> str:
    """How sure the model is, in words: the shares are calibrated, so they can be taken by their word."""
    if answer.rejected:
        return say("charts.best_guess")
    if answer.confidence >= 0.99:
        return say("charts.almost_certain")
    if answer.confidence >= 0.9:
        return say("charts.very_likely")
    if answer.confidence >= 0.7:
        return say("charts.likely")
    if answer.confidence >= 0.4:
        return say("charts.unsure")
    return say("charts.a_guess")


def aloud(answer: Classification) -> str:
    """The answer in one sentence, for those who hear it."""
    return say("charts.aloud", label=answer.label, sureness=sureness(answer), share=markup.percent(answer.confidence))


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
        parts.append(say("charts.alone") if answer.batch_size == 1 else say("charts.batch", size=answer.batch_size))
    steps = ", ".join(f"{step(name)} {time:.1f}" for name, time in answer.timings_ms.items() if name != "total")
    if "total" in answer.timings_ms:
        parts.append(f"{answer.timings_ms['total']:.1f} ms ({steps})" if steps else f"{answer.timings_ms['total']:.1f} ms")
    return f'<p class="fine-print">{markup.text(" · ".join(part for part in parts if part))}</p>'


def step(name: str) -> str:
    """The word for what took time; a step the page does not know keeps the service's."""
    known = {
        "decode": say("charts.decode"),
        "preprocess": say("charts.preprocess"),
        "queue": say("charts.queue"),
        "inference": say("charts.inference"),
    }
    return known.get(name, name)


def _bar(label: str, share: float, winner: bool) -> str:
    width = f"{min(max(share, 0), 1):.2%}"
    return (
        f'<li class="bar{" winner" if winner else ""}"{" aria-current=true" if winner else ""}>'
        f'<span class="bar-name">{markup.text(label)}</span>'
        f'<span class="bar-track"><span class="bar-fill" style="width:{width}"></span></span>'
        f'<span class="bar-share">{markup.percent(share)}</span></li>'
    )
