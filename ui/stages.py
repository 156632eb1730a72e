"""What the model sees: the steps from the picture to its input."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from ui import markup
from ui.answers import Explanation, Picture, Stage

# Pictures with fewer pixels than this are looked at pixel by pixel.
SMOOTH: Final = 100

# The steps worth a look, in order, with the words for a visitor.
TITLES: Final = {"gray": "Gray", "ink": "Ink", "object": "Object", "crop": "Crop", "input": "Model input"}


def show(explanation: Explanation, subject: str) -> None:
    """The steps side by side; the heat map and the logits one click away."""
    shown = chosen(explanation.stages)
    if shown:
        st.subheader("What the model sees", anchor=False)
        st.html(f'<div class="stages">{"".join(figure(TITLES[stage.name], stage) for stage in shown)}</div>')
    if explanation.heatmap is not None:
        with st.expander("Which parts mattered" if subject == "object" else "Which ink mattered"):
            st.html(f'<div class="stages single">{figure("Heat map", explanation.heatmap)}</div>')
    if explanation.logits:
        with st.expander("Raw logits"):
            st.html(logits(explanation.logits))


def chosen(stages: Sequence[Stage]) -> list[Stage]:
    """The stages that are shown, in the order of `TITLES`, whatever else the service sends."""
    known = {stage.name: stage for stage in stages}
    return [known[name] for name in TITLES if name in known]


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
    return f"<p>Levels {picture.min:.0f} to {picture.max:.0f}, mean {picture.mean:.1f}.</p>"


def logits(values: Mapping[str, float]) -> str:
    """What the model answered before it became shares."""
    cells = "".join(f"<li><b>{markup.text(label)}</b><span>{value:+.2f}</span></li>" for label, value in values.items())
    return f'<ul class="logits">{cells}</ul>'
