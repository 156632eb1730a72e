"""The answer to one picture: of one model, or of two models side by side."""

from collections.abc import Sequence

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Model
from ui.components import charts, markup, notices
from ui.i18n.translation import translate
from ui.state.session import DRAW, ClassifyRequest, Session

Outcome = Classification | ServiceUnavailable | ServiceError


def show(session: Session, client: Client, requests: Sequence[tuple[ClassifyRequest, Model]]) -> Classification | None:
    """Classify the picture with each model and show the answers; return the first model's answer if there is one.

    All requests are sent before anything is shown, so that the previous answer stays on the page until then.
    """
    outcomes = [classify(session, client, request) for request, _ in requests]
    if len(requests) == 1:
        show_outcome(*requests[0], outcomes[0])
    else:
        for column, (request, model), outcome in zip(st.columns(2, gap="medium"), requests, outcomes, strict=True):
            with column:
                show_outcome(request, model, outcome, named=True)
    first = outcomes[0]
    return first if isinstance(first, Classification) else None


def classify(session: Session, client: Client, request: ClassifyRequest) -> Outcome:
    """Return one model's answer, or why there is none."""
    try:
        return session.classify(client, request)
    except (ServiceUnavailable, ServiceError) as failure:
        return failure


def show_outcome(request: ClassifyRequest, model: Model, outcome: Outcome, *, named: bool = False) -> None:
    """Show the answer or the error, with the model's name above it if `named`."""
    if isinstance(outcome, Classification):
        st.html(answer_html(outcome, model, named=named))
        if len(outcome.probabilities) > charts.MAX_BARS_IN_ONE_COLUMN:
            show_all_classes(outcome, key=f"all-{model.name}")
    elif request.drawing_number is not None and isinstance(outcome, ServiceError) and outcome.code == "no_ink":
        st.html(notices.empty_hint(DRAW, model.card))
    else:
        notices.show_failure(outcome, key=f"retry-{model.name}" if named else "retry")


def show_all_classes(classification: Classification, key: str) -> None:
    """Show the expander with the bars of all classes in their order or, where these are too many, of the most likely ones."""
    shown, count = classification.probabilities, len(classification.probabilities)
    title = translate("answer.all_classes", count=count)
    if count > charts.MAX_BARS:
        shown = charts.most_likely(classification, charts.MAX_BARS)
        title = translate("answer.likeliest_classes", shown=len(shown), count=f"{count:,}")
    with st.expander(title, key=key):
        st.html(charts.bars(shown, classification))


def answer_html(classification: Classification, model: Model, *, named: bool) -> str:
    """Return one answer: headline, rejection notice, bars and details."""
    probabilities = classification.probabilities
    if len(probabilities) > charts.MAX_BARS_IN_ONE_COLUMN:
        probabilities = charts.most_likely(classification)
    title = f'<h3 class="model">{markup.escape(model.name)}</h3>' if named else ""
    notice = notices.rejection_notice(classification, model.card) if classification.rejected else ""
    return (
        f'<article class="answer" data-model="{markup.escape(model.name)}">{title}{charts.headline(classification)}{notice}'
        f"{charts.bars(probabilities, classification)}{charts.details(classification)}{notices.slow_notice()}</article>"
    )
