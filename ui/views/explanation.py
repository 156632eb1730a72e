"""The explanation of an answer: preprocessing stages, heat map and logits."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import AnnotatedImage, Classification, Explanation, ExplanationStage
from ui.components import markup, notices, sequence_answer
from ui.i18n.translation import translate
from ui.state.session import ClassifyRequest, Session
from ui.state.widget_state import current_key, replace_widget

# Smaller images are enlarged without smoothing, so that single pixels are visible.
MIN_SMOOTH_SIDE: Final = 100
# The stages that are shown, in order. A crop, if there is one, takes the place of the ink or object that was cut out.
SHOWN_STAGES: Final = ("picture", "gray", "ink", "object", "boxes", "crop", "input")
CROPPED_STAGES: Final = ("ink", "object")
# The key of the expander.
EXPANDER: Final = "explain"
# Of more logits than this, only the highest are shown.
MAX_LOGITS: Final = 100
HIGHEST_LOGITS: Final = 30


def open_expander() -> None:
    """Open the expander, unless it is open."""
    if not st.session_state.get(current_key(EXPANDER)):
        replace_widget(EXPANDER)  # every one but the first begins open


def show(
    session: Session,
    client: Client,
    request: ClassifyRequest | None,
    subject: str,
    classification: Classification | None = None,
) -> None:
    """Show the expander; the service is asked for the explanation only while it is open. Without a request there is no answer
    to explain yet. Of a sequence the selected character is explained, or how the characters were found."""
    key = current_key(EXPANDER)
    icon = ":material/visibility:"
    expander = st.expander(translate("explanation.title"), expanded=key != EXPANDER, key=key, icon=icon, on_change="rerun")
    if not expander.open:
        return
    with expander:
        if request is None:
            st.html(f'<p class="muted">{markup.escape(translate("explanation.nothing_yet"))}</p>')
            return
        character = session.selected_character(classification) if classification else None
        try:
            explanation = session.explain(client, request, character)
        except (ServiceUnavailable, ServiceError) as failure:
            notices.show_failure(failure, key="retry-explain")
            return
        if character is not None and classification and classification.characters:
            name = sequence_answer.character_name(character, classification.characters)
            st.html(f'<p class="explained-character">{markup.escape(name)}</p>')
        st.html(stages_html(explanation, subject))
        st.html(details_html(explanation))


def stages_html(explanation: Explanation, subject: str) -> str:
    """Return the stages side by side, followed by the heat map."""
    figures = [figure_html(*stage_texts(stage, subject), stage) for stage in shown_stages(explanation.stages)]
    if explanation.heatmap is not None:
        title = translate("explanation.important_ink") if subject == "ink" else translate("explanation.important_parts")
        figures.append(figure_html(title, translate("explanation.heatmap_note"), explanation.heatmap))
    return f'<div class="explanation"><div class="stages">{"".join(figures)}</div>{notices.slow_notice()}</div>'


def shown_stages(stages: Sequence[ExplanationStage]) -> list[ExplanationStage]:
    """Return the stages of `SHOWN_STAGES`, in that order; others are ignored."""
    known = {stage.name: stage for stage in stages}
    cropped = [name for name in CROPPED_STAGES if name in known]
    if cropped and (crop := known.pop("crop", None)):
        known |= {name: crop.model_copy(update={"name": name}) for name in cropped}
    return [known[name] for name in SHOWN_STAGES if name in known]


def stage_texts(stage: ExplanationStage, subject: str) -> tuple[str, str]:
    """Return title and note of a stage of `SHOWN_STAGES`."""
    width, height = stage.size
    fitted = translate("explanation.input_note", width=width, height=height)
    if subject == "photo":
        fitted = translate("explanation.photo_input_note", width=width, height=height)
    return {
        "picture": (translate("explanation.picture"), translate("explanation.picture_note")),
        "gray": (translate("explanation.gray"), translate("explanation.gray_note")),
        "ink": (translate("explanation.ink"), translate("explanation.ink_note")),
        "object": (translate("explanation.object"), translate("explanation.object_note")),
        "boxes": (translate("explanation.boxes"), translate("explanation.boxes_note")),
        "crop": (translate("explanation.crop"), translate("explanation.crop_note")),
        "input": (translate("explanation.input"), fitted),
    }[stage.name]


def figure_html(title: str, note: str, picture: AnnotatedImage) -> str:
    """Return one image with its title and a note."""
    image = markup.image(picture.png, alt=title, pixelated=max(picture.size) < MIN_SMOOTH_SIDE)
    return (
        f'<figure class="stage"><div class="frame">{image}</div>'
        f"<figcaption><b>{markup.escape(title)}</b> <p>{markup.escape(note)}</p></figcaption></figure>"
    )


def details_html(explanation: Explanation) -> str:
    """Return what the service says about the stages, and the logits, folded."""
    stages = "".join(
        f"<dt>{markup.escape(stage.name)}</dt> <dd>{markup.escape(measured(stage))}</dd> " for stage in explanation.stages
    )
    heatmap = f"<dt>heatmap</dt> <dd>{markup.escape(explanation.heatmap.note)}</dd>" if explanation.heatmap else ""
    logits = ""
    if explanation.logits:
        title = logits_title(len(explanation.logits))
        logits = f'<h4 class="part">{markup.escape(title)}</h4>{logits_html(explanation.logits)}'
    return (
        f'<details class="explanation-details"><summary>{markup.escape(translate("explanation.details"))}</summary>'
        f'<dl class="answer-details">{stages}{heatmap}</dl>{logits}</details>'
    )


def measured(stage: ExplanationStage) -> str:
    """Return the service's note on a stage, its size in pixels and its grey levels. Those of a picture in colour are left out:
    they are of all colours together."""
    width, height = stage.size
    parts = [stage.note, f"{width}×{height}."]
    if stage.mean is not None and not stage.in_colour:
        low, high, mean = f"{stage.min:.0f}", f"{stage.max:.0f}", f"{stage.mean:.1f}"
        parts.append(translate("explanation.grey_levels", low=low, high=high, mean=mean))
    return " ".join(parts)


def logits_title(count: int) -> str:
    """Return the title of the logits of so many labels."""
    if count <= MAX_LOGITS:
        return translate("explanation.logits")
    return translate("explanation.highest_logits", shown=HIGHEST_LOGITS, count=f"{count:,}")


def logits_html(logits: Mapping[str, float]) -> str:
    """Return the model's raw outputs by label, or the highest of many in descending order."""
    if len(logits) > MAX_LOGITS:
        logits = dict(sorted(logits.items(), key=lambda each: -each[1])[:HIGHEST_LOGITS])
    cells = "".join(f"<li><b>{markup.escape(label)}</b> <span>{value:+.2f}</span></li>" for label, value in logits.items())
    return f'<ul class="logits">{cells}</ul>'
