"""What the picture is taken for: the answers of one model or of two."""

from collections.abc import Sequence

import streamlit as st

from ui import charts, markup, notices, sources
from ui.answers import Classification, Model
from ui.client import Client, Problem, Unavailable
from ui.desk import Desk, Question
from ui.language import say


def show(desk: Desk, client: Client, questions: Sequence[tuple[Question, Model]]) -> Classification | None:
    """Ask every model its question and show what it says; the answer of the first, where it has one.

    All are asked before anything is shown, so that what is on the page stays until there is something to take its place.
    """
    outcomes = [ask(desk, client, question) for question, _ in questions]
    if len(questions) == 1:
        tell(*questions[0], outcomes[0])
    else:
        for place, (question, model), outcome in zip(st.columns(2, gap="medium"), questions, outcomes, strict=True):
            with place:
                tell(question, model, outcome, named=True)
    first = outcomes[0]
    return first if isinstance(first, Classification) else None


def ask(desk: Desk, client: Client, question: Question) -> Classification | Unavailable | Problem:
    """One model's answer, or why there is none."""
    try:
        return desk.classify(client, question)
    except (Unavailable, Problem) as failure:
        return failure


def tell(question: Question, model: Model, outcome: Classification | Unavailable | Problem, *, named: bool = False) -> None:
    """Show what came of one question, under the name of the model where there are several."""
    if isinstance(outcome, Classification):
        st.html(article(outcome, model, named=named))
        shares = outcome.probabilities
        if len(shares) > charts.ONE_COLUMN:
            with st.expander(say("reading.all", count=len(shares)), key=f"all-{model.name}"):
                st.html(charts.bars(shares, outcome.label))
    elif question.drawing is not None and isinstance(outcome, Problem) and outcome.code == "no_ink":
        st.html(notices.blank(sources.DRAW, model.card.labels))
    else:
        notices.trouble(outcome, key=f"retry-{model.name}" if named else "retry")


def article(answer: Classification, model: Model, *, named: bool) -> str:
    """One answer from headline to fine print."""
    shares = answer.probabilities
    few = charts.likeliest(shares, answer.label) if len(shares) > charts.ONE_COLUMN else shares
    title = f'<h3 class="model">{markup.text(model.name)}</h3>' if named else ""
    doubt = notices.rejected(answer, model.card.labels) if answer.rejected else ""
    return (
        f'<article class="answer" data-model="{markup.text(model.name)}">{title}'
        f"{charts.headline(answer)}{doubt}{charts.bars(few, answer.label)}{charts.fine_print(answer)}"
        f"{notices.slow()}</article>"
    )
