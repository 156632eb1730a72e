"""The script that Streamlit runs for every visitor: the whole page from top to bottom. Start it with `python -m ui`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.api.api_key import api_key
from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Model
from ui.components import live_picture, notices
from ui.components.announce import announce
from ui.i18n.translation import LANGUAGES, current_language, set_language, translate
from ui.images.media_types import media_type
from ui.state import address
from ui.state.files import BatchClassifier, PictureFile
from ui.state.session import DRAW, UPLOAD, ClassifyRequest, Session
from ui.state.widget_state import OwnedWidget
from ui.views import (
    answer,
    challenge,
    drawing_answer,
    explanation,
    files,
    gallery,
    model_choice,
    monitor,
    offers,
    recovery,
    replay,
    samples,
    share,
    sidebar,
    snippets,
    sources,
)
from ui.views.sidebar import Selection
from ui.views.snippets import SnippetRequest

ASSETS: Final = Path(__file__).parent / "assets"
STYLESHEETS: Final = ("page.css", "picture.css", "answer.css", "sequence.css", "files.css", "gallery.css", "visit.css")


@st.cache_resource
def connect(address: str, api_key: str | None) -> Client:
    """Create the HTTP client that all visitors share."""
    return Client(address, api_key=api_key)


def show_page() -> None:
    """Show the heading, the settings and the classifier."""
    address.follow_history()
    icon = str(ASSETS / "icon.svg")
    st.set_page_config(page_title=translate("page.title"), page_icon=icon, layout="wide", initial_sidebar_state="collapsed")
    for name in STYLESHEETS:
        st.html(ASSETS / name)
    show_heading()
    sidebar.show_heading()
    client = connect(os.environ.get("API_ADDRESS", "http://127.0.0.1:3000"), api_key())
    session = Session.current()
    share.load(session)
    with st.spinner(translate("page.connecting")):
        session.refresh_catalogue(client)
    with st.container(key="classifier"):
        model = model_choice.show(session.catalogue)
        show_classifier(client, session, sidebar.show(session.catalogue, model))
    monitor.show(client)


def show_heading() -> None:
    """Show the title and the language control."""
    with st.container(key="heading", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(translate("page.title"), anchor=False, width="content")
        language = current_language()
        widget = OwnedWidget.showing("language-control", language, translated=False)
        st.segmented_control(
            translate("page.language"),
            list(LANGUAGES),
            default=language,
            required=True,
            format_func=LANGUAGES.__getitem__,
            key=widget.key,
            on_change=widget.on_change(set_language),
            label_visibility="collapsed",
            width="content",
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What the classifier shows: the pictures of a source, and the requests for a single one, one for each selected model."""

    client: Client
    session: Session
    selection: Selection
    source: str
    pictures: Sequence[PictureFile]
    requests: list[tuple[ClassifyRequest, Model]]

    @property
    def judged(self) -> bool:
        """Whether the picture is a drawing of a running challenge."""
        return self.source == DRAW and challenge.running()


@st.fragment
def show_classifier(client: Client, session: Session, selection: Selection) -> None:
    """Show the picture, the answer, its explanation and the gallery. A stroke reruns only this fragment."""
    failure = session.pop_failure()
    if session.catalogue_stale and failure is None:
        st.rerun()  # a request failed since the page ran: the service may have other models now
    if offers.is_accepted(session.catalogue, selection):
        st.rerun()
    card = selection.model.card
    source = sources.select_source(session, card)
    with st.container(key="picture"):
        pictures = sources.show(session, source, card)
        if source != DRAW:
            samples.show(session, selection.model)
    tools = st.container(key="tools", horizontal=True)
    answer_column = st.container(key="answer")
    model_input = st.container(key="model-input")
    drawing_number = session.drawing_number if source == DRAW else None
    single = len(pictures) == 1 and not pictures[0].refusal
    requests = classify_requests(pictures[0], selection, drawing_number) if single else []
    shown = Shown(client, session, selection, source, pictures, requests)
    with answer_column:
        challenge.show(session, client, selection.model)
        answer.reserve_space(card)
        with st.container(key="answer-body"):
            classification = show_answer(shown, failure)
            offered = st.container(key="offers")
            actions = st.container(key="answer-actions")
    # Everything below comes after the answer, so that the answer does not wait for it.
    announce(challenge.screen_reader_text() or (answer.screen_reader_text(classification) if classification else ""))
    # The container is always there, so that the gallery has the same position with and without an answer. When a stroke
    # interrupts this fragment, Streamlit drops what it has not sent of it, but still sends the nested gallery fragment to the
    # position it had.
    below = st.container(key="below-answer")
    with tools:
        sources.show_tools()
    if source == DRAW:
        with model_input:
            st.html(live_picture.model_input_html())
    judged = shown.judged  # the answer may end the challenge
    if classification and requests:
        take_answer(shown, classification, actions, offered)
    if not judged:
        with below:
            show_details(shown, classification)
    gallery.show(session, client, session.catalogue, drawable=DRAW in sources.available_sources(card))
    recovery.show(client, session)


def show_answer(shown: Shown, failure: ServiceUnavailable | ServiceError | None) -> Classification | None:
    """Show the answer, what to do where there is no picture, or the failure; return the answer to a single picture."""
    session, selection = shown.session, shown.selection
    if failure:
        notices.show_failure(failure)
    elif shown.source == DRAW:
        models = [(model, selection.device_for(model)) for model in selection.models()]
        classification = drawing_answer.show(session, shown.client, shown.requests, models)
        if not shown.requests and not challenge.running():
            share.show_damage()
            samples.show(session, selection.model)
            challenge.show_start(session, *models[0])
        return classification
    elif not shown.pictures:
        st.html(notices.empty_hint(shown.source, selection.model.card))
    elif shown.requests:
        return answer.show(session, shown.client, shown.requests)
    elif session.catalogue:
        classifier = BatchClassifier(shown.client, selection.model, selection.device, session.catalogue.limits)
        files.show(classifier, shown.pictures, session)
    return None


def take_answer(shown: Shown, classification: Classification, actions: DeltaGenerator, offered: DeltaGenerator) -> None:
    """Give the answer to the running challenge, or add it to the gallery and show what the visitor can do with it."""
    session, request = shown.session, shown.requests[0][0]
    if shown.judged:
        challenge.judge(session, classification, shown.pictures[0].data)
        return
    session.add_to_gallery(request, classification)
    with actions:
        row = answer.show_actions(session, shown.client, shown.requests, classification)
    if shown.source == DRAW:
        with row:
            share.show(session, request.model)
    with offered:
        offers.show(session, shown.client, request, shown.selection, classification)


def show_details(shown: Shown, classification: Classification | None) -> None:
    """Show how the answer was computed, the replay of a drawing, and the code examples."""
    session, selection = shown.session, shown.selection
    request = shown.requests[0][0] if classification else None
    if len(shown.pictures) <= 1:
        explanation.show(session, shown.client, request, selection.model.card.subject, classification)
    if session.catalogue is None:
        return
    if classification and request and shown.source == DRAW:
        classifier = BatchClassifier(shown.client, selection.model, request.device, session.catalogue.limits)
        replay.show(session, classifier, classification.label)
    uploaded = shown.source == UPLOAD and not session.opened
    snippets.show(*code_snippet(shown.client, selection, shown.pictures, uploaded=uploaded))


def classify_requests(
    file: PictureFile, selection: Selection, drawing_number: int | None
) -> list[tuple[ClassifyRequest, Model]]:
    """Return the requests for one picture: one per selected model."""
    return [
        (ClassifyRequest(file.data, model.name, selection.device_for(model), drawing_number), model)
        for model in selection.models()
    ]


def code_snippet(
    client: Client, selection: Selection, pictures: Sequence[PictureFile], *, uploaded: bool
) -> tuple[SnippetRequest, bytes | None]:
    """Return the request for the code examples, with the first picture if there is one, and the picture to download where the
    visitor has no file with these bytes."""
    file, card = pictures[0] if pictures else PictureFile.from_bytes("picture.png", b""), selection.model.card
    snippet = SnippetRequest(
        os.environ.get("PUBLIC_API_ADDRESS") or client.address,
        selection.model.name,
        selection.device_for(selection.model),
        file.download_name,
        media_type(file.data) if pictures else "image/png",
        with_key=client.sends_api_key,
        drawable=DRAW in sources.available_sources(card),
        multi_label=card.output.multi_label,
    )
    return snippet, file.data if pictures and (file.shrunk or not uploaded) else None


show_page()
