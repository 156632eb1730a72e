"""What the picture is taken for: the answers of one model or of two."""

from collections.abc import Sequence

import streamlit as st

from ui import charts, markup, notices, sources
from ui.answers import Classification, Model
from ui.client import Client, Problem, Unavailable
from ui.desk import Desk, Question
from ui.language import say


def show(desk: Desk, client: Client, questions: Sequence[tuple[Question, Model]]) -> Classification | None:
    """Ask every model its question and show what it says; the answer of the first, where it has one."""
    places = st.columns(2, gap="medium") if len(questions) > 1 else [st.container()]
    answers = []
    for place, (question, model) in zip(places, questions, strict=True):
        with place:
            answers.append(ask(desk, client, question, model, named=len(questions) > 1))
    return answers[0]


def ask(desk: Desk, client: Client, question: Question, model: Model, *, named: bool) -> Classification | None:
    """One model's answer, or why there is none."""
    try:
        answer = desk.classify(client, question)
    except (Unavailable, Problem) as failure:
        if question.drawing is not None and isinstance(failure, Problem) and failure.code == "no_ink":
            st.html(notices.blank(sources.DRAW, model.card.labels))
        else:
            notices.trouble(failure, key=f"retry-{model.name}" if named else "retry")
        return None
    st.html(article(answer, model, named=named))
    shares = answer.probabilities
    if len(shares) > charts.ONE_COLUMN:
        with st.expander(say("reading.all", count=len(shares)), key=f"all-{model.name}"):
            st.html(charts.bars(shares, answer.label))
    return answer


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
