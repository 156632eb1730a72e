"""Shows a drawing being drawn again, beside the confidence that the model had meanwhile."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from ui.components import labels, markup
from ui.i18n.translation import translate
from ui.images.polyline import Polyline, Size, line_length, svg_path
from ui.state.replay import ReplayStep

# Pictures of the strip, which stands beside the animation, and in its place where the visitor wants no motion.
STRIP: Final = 6
_HTML: Final = """
<div class="replay">
  <svg class="replay-sheet" aria-hidden="true"></svg>
  <div class="replay-side">
    <p><b class="replay-label"></b> <span class="replay-score"></span></p>
    <svg class="replay-chart" viewBox="-38 -22 344 150" role="img">
      <path class="replay-grid" d="M0 0H300M0 60H300M0 120H300"/>
      <g class="replay-scale"><text x="-6" y="4">100%</text><text x="-6" y="64">50%</text><text x="-6" y="124">0%</text></g>
      <g class="replay-marks"></g>
      <path class="replay-future"/><path class="replay-past"/><circle class="replay-now" r="5"/>
    </svg>
    <button class="replay-toggle" type="button"></button>
  </div>
</div>"""
_animation: Final = st.components.v2.component(
    "replay", html=_HTML, js=Path(__file__).with_name("replay.js").read_text(encoding="utf-8"), isolate_styles=False
)


def show(strokes: Sequence[Polyline], background: str, steps: Sequence[ReplayStep], label: str, size: Size) -> None:
    """Show the animation on a sheet of this size, and some steps as pictures; `label` is that of the whole drawing."""
    label = labels.one_line(label)
    first, last = markup.percent(steps[0].confidence), markup.percent(steps[-1].confidence)
    data = {
        "background": background,
        "size": list(size),
        "strokes": animated_strokes(strokes),
        "steps": [
            {
                "share": step.share,
                "label": None if step.label is None else labels.one_line(step.label),
                "confidence": step.confidence,
                "rejected": step.rejected,
                "text": step_text(step, label),
            }
            for step in steps
        ],
        "alt": translate("replay.chart", label=label, first=first, last=last),
        "play": translate("replay.play"),
        "pause": translate("replay.pause"),
    }
    _animation(key="replay-animation", data=data)
    st.html(strip(steps, label))


def animated_strokes(strokes: Sequence[Polyline]) -> list[dict[str, Any]]:
    """Return each stroke as the path of an SVG, and the shares of the time at which it begins and ends."""
    lengths = [line_length(stroke.curve()) for stroke in strokes]
    total, begun, animated = sum(lengths), 0.0, []
    for stroke, length in zip(strokes, lengths, strict=True):
        begin, begun = begun, begun + length
        animated.append(
            {
                "path": svg_path(stroke.curve()),
                "width": stroke.width,
                "colour": stroke.colour,
                "start": begin / total,
                "end": begun / total,
            }
        )
    return animated


def step_text(step: ReplayStep, label: str) -> str:
    """Return what the model answered at a step."""
    if step.label is None:
        return translate("replay.nothing")
    confidence = markup.percent(step.confidence)
    if step.rejected:
        return translate("replay.not_accepted", label=label, confidence=confidence)
    return translate("replay.confidence", label=label, confidence=confidence)


def strip(steps: Sequence[ReplayStep], label: str) -> str:
    """Return some steps at equal distances as pictures with their answers, the last one among them."""
    shown = [steps[len(steps) * number // STRIP - 1] for number in range(1, STRIP + 1)]
    figures = "".join(
        f"<li>{markup.image(step.picture, alt='')}<b>{markup.escape(labels.one_line(step.label or '–'))}</b>"
        f"<span>{markup.percent(step.confidence)}</span></li>"
        for step in shown
    )
    return f'<ol class="replay-strip" aria-label="{markup.escape(translate("replay.strip", label=label))}">{figures}</ol>'
