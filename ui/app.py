"""The page, from top to bottom. Start it with `python -m ui`."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from ui import charts, choices, files, gallery, language, live, notices, reading, sidebar, snippets, sources, stages
from ui.answers import Model
from ui.client import Client
from ui.desk import Desk, Question
from ui.files import File, Reader
from ui.language import say
from ui.pictures import media_type
from ui.sidebar import Choice
from ui.snippets import Call

ROOM: Final = Path(__file__).parent
STYLE: Final = ("style.css", "parts.css")


@st.cache_resource
def connect(address: str, api_key: str | None) -> Client:
    """One client for all visitors."""
    return Client(address, api_key=api_key)


def page() -> None:
    """Title and language; settings at the side; the reading desk."""
    st.set_page_config(page_title=say("page.title"), page_icon=str(ROOM / "icon.svg"), layout="wide")
    for sheet in STYLE:
        st.html(ROOM / sheet)
    heading()
    sidebar.begin()
    client = connect(os.environ.get("API_ADDRESS", "http://127.0.0.1:3000"), os.environ.get("API_KEY"))
    desk = Desk.current()
    with st.spinner(say("page.connecting")):
        desk.refresh(client)
    read(client, desk, sidebar.show(desk.catalogue))


def heading() -> None:
    """The title, and the languages the page speaks."""
    with st.container(key="heading", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(say("page.title"), anchor=False, width="content")
        choices.hold("tongue", language.current())
        st.segmented_control(
            say("page.language"),
            list(language.LANGUAGES),
            required=True,
            format_func=language.LANGUAGES.__getitem__,
            key="tongue",
            on_change=lambda: language.choose(st.session_state["tongue"]),
            label_visibility="collapsed",
            width="content",
        )


@st.fragment
def read(client: Client, desk: Desk, choice: Choice) -> None:
    """Pictures and answers; how they came about; the gallery. A stroke runs this part of the page alone."""
    failure = desk.take_failure()
    if desk.stale and failure is None:
        st.rerun()  # something failed since the page ran: the service may know other models by now
    with st.container(key="reading-desk"):
        sheet, answers = st.columns([3, 5], gap="large")
    with sheet:
        source = sources.choose(desk, choice.model.card.subject)
        pictures = sources.show(desk, source, choice.model.card.subject)
        tools = st.container(key="tools", horizontal=True)
    asked = questions(pictures[0], choice, desk.drawing if source == sources.DRAW else None) if len(pictures) == 1 else []
    answer = None
    with answers:
        if failure:
            notices.trouble(failure)
        elif not pictures:
            st.html(notices.blank(source, choice.model.card.labels))
        elif asked:
            answer = reading.show(desk, client, asked)
        elif desk.catalogue:
            files.show(Reader(client, choice.model, choice.device, desk.catalogue.limits), pictures, desk.gallery)
    # What follows comes after the answer, which should not wait for it.
    live.say_aloud(charts.aloud(answer) if answer else "")
    # Always there, so that the gallery has one place with and without an answer. It is a fragment of its own: where a stroke
    # interrupts this one, Streamlit drops what it has not sent of this one, and still sends the gallery to the place it had.
    behind = st.container()
    with tools:
        sources.tools(desk, source)
    if answer:
        question, model = asked[0]
        desk.record(question, answer)
        with answers:
            again(desk)
        with behind:
            stages.show(desk, client, question, model.card.subject)
            snippets.show(*code(client, question, pictures[0], at_hand=source == sources.UPLOAD))
    gallery.show(desk.gallery, client, desk.catalogue)


def questions(file: File, choice: Choice, drawing: int | None) -> list[tuple[Question, Model]]:
    """What to ask the chosen models about one picture."""
    return [(Question(file.data, model.name, choice.device_of(model), drawing), model) for model in choice.asked()]


def again(desk: Desk) -> None:
    """The button that asks anew what has been answered."""
    icon = ":material/refresh:"
    st.button(say("page.ask_again"), key="ask", icon=icon, type="tertiary", on_click=desk.forget, shortcut="Enter")


def code(client: Client, question: Question, file: File, *, at_hand: bool) -> tuple[Call, bytes | None]:
    """The question as it would be asked from code, and the picture where the visitor has no file of just these bytes."""
    kind = media_type(file.data)
    call = Call(client.address, question.model, question.device, file.saved_as, kind, with_key=client.with_key)
    return call, None if at_hand and not file.smaller else file.data


page()
