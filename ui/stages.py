"""What the model sees: the steps from the picture to its input, and which of it mattered."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from ui import markup, notices
from ui.answers import Explanation, Picture, Stage
from ui.client import Client, Problem, Unavailable
from ui.desk import Desk, Question
from ui.language import say

# Pictures with fewer pixels than this are looked at pixel by pixel.
SMOOTH: Final = 100
# The steps worth a look, in order.
SHOWN: Final = ("gray", "ink", "object", "crop", "input")


def show(desk: Desk, client: Client, question: Question, subject: str) -> None:
    """The part that tells how the answer came about. The service is asked for it while the part is open, and only then."""
    part = st.expander(say("stages.title"), key="explain", icon=":material/visibility:", on_change="rerun")
    if not part.open:
        return
    with part:
        try:
            explanation = desk.explain(client, question)
        except (Unavailable, Problem) as failure:
            notices.trouble(failure, key="retry-explain")
            return
        st.html(strip(explanation, subject))
        if explanation.logits:
            st.html(f'<h4 class="part">{markup.text(say("stages.logits"))}</h4>{logits(explanation.logits)}')


def strip(explanation: Explanation, subject: str) -> str:
    """The steps side by side, the heat map last."""
    figures = [figure(title(stage.name), stage) for stage in chosen(explanation.stages)]
    if explanation.heatmap is not None:
        mattered = say("stages.parts_that_mattered") if subject == "object" else say("stages.ink_that_mattered")
        figures.append(figure(mattered, explanation.heatmap))
    return f'<div class="explained"><div class="stages">{"".join(figures)}</div>{notices.slow()}</div>'


def chosen(stages: Sequence[Stage]) -> list[Stage]:
    """The stages that are shown, in the order of `SHOWN`, whatever else the service sends."""
    known = {stage.name: stage for stage in stages}
    return [known[name] for name in SHOWN if name in known]


def title(name: str) -> str:
    """The words for a step."""
    return {
        "gray": say("stages.gray"),
        "ink": say("stages.ink"),
        "object": say("stages.object"),
        "crop": say("stages.crop"),
        "input": say("stages.input"),
    }[name]


def figure(title: str, picture: Picture) -> str:
    """One picture with its size and its line; a small one is enlarged without smoothing."""
    width, height = picture.size
    image = markup.image(picture.png, alt=title, pixelated=max(width, height) < SMOOTH)
    return (
        f'<figure class="stage"><div class="frame">{image}</div>'
        f"<figcaption><b>{markup.text(title)}</b> <span>{width}×{height}</span>"
        f"<p>{markup.text(picture.note)}</p>{levels(picture)}</figcaption></figure>"
    )


def levels(picture: Picture) -> str:
    """The grey levels of a step, where the service tells them."""
    if not isinstance(picture, Stage) or picture.mean is None:
        return ""
    words = say("stages.levels", low=f"{picture.min:.0f}", high=f"{picture.max:.0f}", mean=f"{picture.mean:.1f}")
    return f"<p>{markup.text(words)}</p>"


def logits(values: Mapping[str, float]) -> str:
    """What the model answered before it became shares."""
    cells = "".join(f"<li><b>{markup.text(label)}</b><span>{value:+.2f}</span></li>" for label, value in values.items())
    return f'<ul class="logits">{cells}</ul>'
