"""The page, from top to bottom. Start it with `python -m ui`."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from ui import charts, gallery, notices, sidebar, sources, stages
from ui.answers import Classification, Model
from ui.client import Client, Problem, Unavailable
from ui.desk import Desk, Question
from ui.language import say

ROOM: Final = Path(__file__).parent


@st.cache_resource
def connect(address: str, api_key: str | None) -> Client:
    """One client for all visitors."""
    return Client(address, api_key=api_key)


def page() -> None:
    """Settings at the side; picture and answer; what the model sees; the gallery."""
    st.set_page_config(page_title=say("page.title"), page_icon=str(ROOM / "icon.svg"), layout="wide")
    st.html(ROOM / "style.css")
    client = connect(os.environ.get("API_ADDRESS", "http://127.0.0.1:3000"), os.environ.get("API_KEY"))
    desk = Desk.current()
    failure = refresh(desk, client)

    choice = sidebar.show(desk.catalogue)
    st.title(say("page.title"), anchor=False)
    with st.container(key="reading-desk"):
        sheet, reading = st.columns([3, 5], gap="large")
    with sheet:
        source = sources.choose(desk, choice.model.card.subject)
        question = sources.show(desk, source, choice)

    with reading:
        if failure:
            notices.trouble(failure)
        elif question is None:
            notices.blank(source, choice.model.card.labels)
        else:
            failure = answer(desk, client, question, choice.model)
    if question and not failure:
        explain(desk, client, question, choice.model)
    gallery.show(desk.gallery)


def refresh(desk: Desk, client: Client) -> Unavailable | Problem | None:
    """Bring the catalogue up to date, or tell why not."""
    try:
        desk.refresh(client)
    except (Unavailable, Problem) as failure:
        return failure
    return None


def answer(desk: Desk, client: Client, question: Question, model: Model) -> Unavailable | Problem | None:
    """Show what the picture is taken for, or why there is no answer."""
    try:
        classification = desk.classify(client, question)
    except (Unavailable, Problem) as failure:
        if question.drawing is not None and isinstance(failure, Problem) and failure.code == "no_ink":
            notices.blank(sources.DRAW, model.card.labels)
        else:
            notices.trouble(failure)
        return failure
    reading_of(classification, model)
    return None


def reading_of(classification: Classification, model: Model) -> None:
    """Label, bars, fine print."""
    if classification.rejected:
        notices.rejected(classification, model.card.labels)
    st.html(charts.headline(classification))
    shares, label = classification.probabilities, classification.label
    if len(shares) > charts.ONE_COLUMN:
        st.html(charts.bars(charts.likeliest(shares, label), label))
        with st.expander(f"All {len(shares)} classes"):
            st.html(charts.bars(shares, label))
    else:
        st.html(charts.bars(shares, label))
    st.html(charts.fine_print(classification))


def explain(desk: Desk, client: Client, question: Question, model: Model) -> None:
    """Show how the answer came about; without it the answer still stands."""
    try:
        stages.show(desk.explain(client, question), model.card.subject)
    except (Unavailable, Problem) as failure:
        notices.trouble(failure)


page()
