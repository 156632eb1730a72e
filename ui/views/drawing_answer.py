"""The answer to the drawing. While a stroke is drawn, it follows the pen."""

import streamlit as st

from ui.api.client import Client
from ui.api.schemas import Classification, Model
from ui.components import canvas, live_picture, notices
from ui.state.session import DRAW, ClassifyRequest, Session
from ui.views import answer

Requests = list[tuple[ClassifyRequest, Model]]


def show(session: Session, client: Client, requests: Requests, models: list[tuple[Model, str]]) -> Classification | None:
    """Show the answers to `requests`, or the hint while nothing is drawn; return the first model's answer if there is one.

    `models` are the selected models with their devices, which answer while a stroke is drawn.
    """
    session.live.whole_run = True
    classification = _show(session, client, requests, models)
    return classification if isinstance(classification, Classification) else None


@st.fragment
def _show(session: Session, client: Client, requests: Requests, models: list[tuple[Model, str]]) -> Classification | None:
    """A picture of an unfinished stroke reruns only this; anything else that happens in it reruns the page."""
    whole_run, session.live.whole_run = session.live.whole_run, False
    sent = live_picture.sent_picture()
    # What the browser sends in the same moment as the picture comes in the same request, which reruns only this fragment.
    if not whole_run and (sent is None or canvas.has_news(session.drawing)):
        st.rerun()
    session.live.runs += 1
    shown = requests
    # A picture that comes after the report of the finished stroke is out of date.
    following = not whole_run and sent is not None and sent.version >= session.drawing.version
    if following and sent and session.answer_live(client, sent.png, models):
        shown = [(ClassifyRequest(sent.png, model.name, device, live=True), model) for model, device in models]
    classification = None
    if shown:
        classification = answer.show(session, client, shown)
    else:
        st.html(notices.empty_hint(DRAW, models[0][0].card))
    # A sequence is not looked at as a whole.
    single = shown and classification and classification.characters is None
    seen = session.find_model_input(client, shown[0][0]) if single else None
    live_picture.show(session.live.runs, session.drawing.version, seen)
    return classification
