"""The answer to one picture: of one model, or of two models side by side."""

from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Model, ModelCard
from ui.components import charts, details, markup, notices, rejection, sequence_answer
from ui.i18n.translation import translate
from ui.state.corrections import AnsweredPicture
from ui.state.session import DRAW, ClassifyRequest, Session
from ui.views import correction, sequence

Outcome = Classification | ServiceUnavailable | ServiceError

# Space is reserved for so many bars at least: the notice of a rejected picture and the offers of other models fit into it.
MIN_RESERVED_BARS: Final = 7


def reserve_space(card: ModelCard) -> None:
    """Give the place of the answer the height that an answer of this model needs, so that the first answer moves nothing."""
    count = 0 if card.is_sequence else len(card.labels)
    bars = count if count <= charts.MAX_BARS_IN_ORDER else charts.MOST_LIKELY + 1
    st.html(f"<style>.st-key-answer-body {{ --bars: {max(bars, MIN_RESERVED_BARS)}; }}</style>")


def show(session: Session, client: Client, requests: Sequence[tuple[ClassifyRequest, Model]]) -> Classification | None:
    """Classify the picture with each model and show the answers; return the first model's answer if there is one.

    All requests are sent before anything is shown, so that the previous answer stays on the page until then.
    """
    outcomes = [classify(session, client, request) for request, _ in requests]
    first = outcomes[0] if isinstance(outcomes[0], Classification) else None
    selected = session.selected_character(first) if first else None
    if len(requests) == 1:
        show_outcome(*requests[0], outcomes[0], selected=selected)
    else:
        for column, (request, model), outcome in zip(st.columns(2, gap="medium"), requests, outcomes, strict=True):
            with column:
                show_outcome(request, model, outcome, named=True, selected=selected if outcome is first else None)
    if first and first.characters is not None:
        sequence.show_boxes(session, requests[0][0], first, selected)
    return first


def classify(session: Session, client: Client, request: ClassifyRequest) -> Outcome:
    """Return one model's answer, or why there is none."""
    try:
        return session.classify(client, request)
    except (ServiceUnavailable, ServiceError) as failure:
        return failure


def show_outcome(
    request: ClassifyRequest, model: Model, outcome: Outcome, *, named: bool = False, selected: int | None = None
) -> None:
    """Show the answer or the error, with the model's name above it if `named`. `selected` is a character of a sequence."""
    if isinstance(outcome, Classification):
        st.html(answer_html(outcome, model, named=named, selected=selected))
    elif request.drawing_number is not None and isinstance(outcome, ServiceError) and outcome.code == "no_ink":
        st.html(notices.empty_hint(DRAW, model.card))
    else:
        notices.show_failure(outcome, key=f"retry-{model.name}" if named else "retry")


def answer_html(classification: Classification, model: Model, *, named: bool, selected: int | None = None) -> str:
    """Return one answer: headline and bars, or for a rejected picture what it might be; of a sequence the text."""
    title = f'<h3 class="model">{markup.escape(model.name)}</h3>' if named else ""
    if is_text(classification):
        body = sequence_answer.to_html(classification, selected)
    elif classification.rejected:
        body = f"{rejection.to_html(classification, model.card)}{charts.folded_bars(classification)}"
    else:
        body = f"{charts.headline(classification)}{charts.bars(classification)}"
    return f'<article class="answer" data-model="{markup.escape(model.name)}">{title}{body}{notices.slow_notice()}</article>'


def is_text(classification: Classification) -> bool:
    """Whether the answer is the text of a sequence, of which at least a part was read."""
    return classification.characters is not None and sequence_answer.is_recognised(classification)


def screen_reader_text(classification: Classification) -> str:
    """Return an answer in one or two sentences."""
    if is_text(classification):
        return sequence_answer.screen_reader_text(classification)
    return rejection.text(classification) if classification.rejected else charts.screen_reader_text(classification)


def show_actions(
    session: Session, client: Client, requests: Sequence[tuple[ClassifyRequest, Model]], first: Classification
) -> DeltaGenerator:
    """Show what can be done with the answers: correct the first, ask again, and read the details of all.

    Returns the row of buttons, to which others can be added.
    """
    request, model = requests[0]
    picture = AnsweredPicture.of(session.gallery, request, first)
    correction.show_result(picture, client, can_save=session.catalogue is not None and session.catalogue.gallery)
    row = st.container(key="answer-tools", horizontal=True)
    with row:
        correction.show_control(picture, first, model.card)
        show_ask_again(session)
        show_details(session, requests)
    return row


def show_ask_again(session: Session) -> None:
    """Show the button that sends the request again."""
    icon = ":material/refresh:"
    st.button(
        translate("answer.ask_again"), key="ask", icon=icon, type="tertiary", on_click=session.clear_answers, shortcut="Enter"
    )


def show_details(session: Session, requests: Sequence[tuple[ClassifyRequest, Model]]) -> None:
    """Show the button that opens the technical details of the answers."""
    with st.popover(translate("details.title"), icon=":material/info:", type="tertiary", key="details"):
        for request, model in requests:
            if classification := session.cached_answer(request):
                st.html(details.to_html(classification, model))
