"""The explanation of an answer: preprocessing stages, heat map and logits."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import AnnotatedImage, Explanation, ExplanationStage
from ui.components import markup, notices
from ui.i18n.translation import translate
from ui.state.session import ClassifyRequest, Session

# Smaller images are enlarged without smoothing, so that single pixels are visible.
MIN_SMOOTH_SIDE: Final = 100
# The stages that are shown, in order.
SHOWN_STAGES: Final = ("picture", "gray", "ink", "object", "crop", "input")
# Of more logits than this, only the highest are shown.
MAX_LOGITS: Final = 100
HIGHEST_LOGITS: Final = 30


def show(session: Session, client: Client, request: ClassifyRequest, subject: str) -> None:
    """Show the expander; the service is asked for the explanation only while it is open."""
    expander = st.expander(translate("explanation.title"), key="explain", icon=":material/visibility:", on_change="rerun")
    if not expander.open:
        return
    with expander:
        try:
            explanation = session.explain(client, request)
        except (ServiceUnavailable, ServiceError) as failure:
            notices.show_failure(failure, key="retry-explain")
            return
        st.html(stages_html(explanation, subject))
        if explanation.logits:
            title = markup.escape(logits_title(len(explanation.logits)))
            st.html(f'<h4 class="part">{title}</h4>{logits_html(explanation.logits)}')


def stages_html(explanation: Explanation, subject: str) -> str:
    """Return the stages side by side, followed by the heat map."""
    figures = [stage_html(stage_title(stage.name), stage) for stage in shown_stages(explanation.stages)]
    if explanation.heatmap is not None:
        photographed = subject in ("object", "photo")
        title = translate("explanation.important_parts") if photographed else translate("explanation.important_ink")
        figures.append(stage_html(title, explanation.heatmap))
    return f'<div class="explanation"><div class="stages">{"".join(figures)}</div>{notices.slow_notice()}</div>'


def shown_stages(stages: Sequence[ExplanationStage]) -> list[ExplanationStage]:
    """Return the stages of `SHOWN_STAGES`, in that order; others are ignored."""
    known = {stage.name: stage for stage in stages}
    return [known[name] for name in SHOWN_STAGES if name in known]


def stage_title(name: str) -> str:
    """Return the title of a stage of `SHOWN_STAGES`."""
    return {
        "picture": translate("explanation.picture"),
        "gray": translate("explanation.gray"),
        "ink": translate("explanation.ink"),
        "object": translate("explanation.object"),
        "crop": translate("explanation.crop"),
        "input": translate("explanation.input"),
    }[name]


def stage_html(title: str, picture: AnnotatedImage) -> str:
    """Return one image with its title, its size in pixels and its note."""
    width, height = picture.size
    image = markup.image(picture.png, alt=title, pixelated=max(width, height) < MIN_SMOOTH_SIDE)
    return (
        f'<figure class="stage"><div class="frame">{image}</div>'
        f"<figcaption><b>{markup.escape(title)}</b> <span>{width}×{height}</span>"
        f"<p>{markup.escape(picture.note)}</p>{grey_levels_html(picture)}</figcaption></figure>"
    )


def grey_levels_html(picture: AnnotatedImage) -> str:
    """Return minimum, maximum and mean grey level of a stage; an empty text if the service does not send them, or sends those
    of all colours together."""
    if not isinstance(picture, ExplanationStage) or picture.mean is None or picture.in_colour:
        return ""
    low, high, mean = f"{picture.min:.0f}", f"{picture.max:.0f}", f"{picture.mean:.1f}"
    return f"<p>{markup.escape(translate('explanation.grey_levels', low=low, high=high, mean=mean))}</p>"


def logits_title(count: int) -> str:
    """Return the title of the logits of so many labels."""
    if count <= MAX_LOGITS:
        return translate("explanation.logits")
    return translate("explanation.highest_logits", shown=HIGHEST_LOGITS, count=f"{count:,}")


def logits_html(logits: Mapping[str, float]) -> str:
    """Return the model's raw outputs by label, or the highest of many in descending order."""
    if len(logits) > MAX_LOGITS:
        logits = dict(sorted(logits.items(), key=lambda each: -each[1])[:HIGHEST_LOGITS])
    cells = "".join(f"<li><b>{markup.escape(label)}</b><span>{value:+.2f}</span></li>" for label, value in logits.items())
    return f'<ul class="logits">{cells}</ul>'
