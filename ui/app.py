"""The script that Streamlit runs for every visitor: the whole page from top to bottom. Start it with `python -m ui`."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from ui.api.api_key import api_key
from ui.api.client import Client
from ui.api.schemas import Classification, Model, ModelCard
from ui.components import charts, notices
from ui.components.announce import announce
from ui.i18n.translation import LANGUAGES, current_language, set_language, translate
from ui.images.media_types import media_type
from ui.state.files import BatchClassifier, PictureFile
from ui.state.session import DRAW, UPLOAD, ClassifyRequest, Session
from ui.state.widget_state import set_widget
from ui.views import answer, explanation, files, gallery, sidebar, snippets, sources
from ui.views.sidebar import Selection
from ui.views.snippets import SnippetRequest

ASSETS: Final = Path(__file__).parent / "assets"
STYLESHEETS: Final = ("page.css", "gallery.css")


@st.cache_resource
def connect(address: str, api_key: str | None) -> Client:
    """Create the HTTP client that all visitors share."""
    return Client(address, api_key=api_key)


def show_page() -> None:
    """Show the heading, the settings and the classifier."""
    st.set_page_config(page_title=translate("page.title"), page_icon=str(ASSETS / "icon.svg"), layout="wide")
    for name in STYLESHEETS:
        st.html(ASSETS / name)
    show_heading()
    sidebar.show_heading()
    client = connect(os.environ.get("API_ADDRESS", "http://127.0.0.1:3000"), api_key())
    session = Session.current()
    with st.spinner(translate("page.connecting")):
        session.refresh_catalogue(client)
    show_classifier(client, session, sidebar.show(session.catalogue))


def show_heading() -> None:
    """Show the title and the language control."""
    with st.container(key="heading", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(translate("page.title"), anchor=False, width="content")
        set_widget("language-control", current_language())
        st.segmented_control(
            translate("page.language"),
            list(LANGUAGES),
            required=True,
            format_func=LANGUAGES.__getitem__,
            key="language-control",
            on_change=lambda: set_language(st.session_state["language-control"]),
            label_visibility="collapsed",
            width="content",
        )


@st.fragment
def show_classifier(client: Client, session: Session, selection: Selection) -> None:
    """Show the picture, the answer, its explanation and the gallery. A stroke reruns only this fragment."""
    failure = session.pop_failure()
    if session.catalogue_stale and failure is None:
        st.rerun()  # a request failed since the page ran: the service may have other models now
    with st.container(key="classifier"):
        picture_column, answer_column = st.columns([3, 5], gap="large")
    card = selection.model.card
    with picture_column:
        source = sources.select_source(session, card)
        pictures = sources.show(session, source, card.subject)
        tools = st.container(key="tools", horizontal=True)
    drawing_number = session.drawing_number if source == DRAW else None
    requests = classify_requests(pictures[0], selection, drawing_number) if len(pictures) == 1 else []
    classification: Classification | None = None
    with answer_column:
        if failure:
            notices.show_failure(failure)
        elif not pictures:
            st.html(notices.empty_hint(source, card))
        elif requests:
            classification = answer.show(session, client, requests)
        elif session.catalogue:
            classifier = BatchClassifier(client, selection.model, selection.device, session.catalogue.limits)
            files.show(classifier, pictures, session.gallery)
    # Everything below comes after the answer, so that the answer does not wait for it.
    announce(charts.screen_reader_text(classification) if classification else "")
    # The container is always there, so that the gallery has the same position with and without an answer. When a stroke
    # interrupts this fragment, Streamlit drops what it has not sent of it, but still sends the nested gallery fragment to the
    # position it had.
    below = st.container()
    with tools:
        sources.show_tools(session, source)
    if classification:
        request, model = requests[0]
        session.add_to_gallery(request, classification)
        with answer_column:
            show_ask_again(session)
        with below:
            explanation.show(session, client, request, model.card.subject)
            snippets.show(*code_snippet(client, request, model.card, pictures[0], uploaded=source == UPLOAD))
    gallery.show(session.gallery, client, session.catalogue)


def classify_requests(
    file: PictureFile, selection: Selection, drawing_number: int | None
) -> list[tuple[ClassifyRequest, Model]]:
    """Return the requests for one picture: one per selected model."""
    return [
        (ClassifyRequest(file.data, model.name, selection.device_for(model), drawing_number), model)
        for model in selection.models()
    ]


def show_ask_again(session: Session) -> None:
    """Show the button that sends the request again."""
    icon = ":material/refresh:"
    st.button(
        translate("page.ask_again"), key="ask", icon=icon, type="tertiary", on_click=session.clear_answers, shortcut="Enter"
    )


def code_snippet(
    client: Client, request: ClassifyRequest, card: ModelCard, file: PictureFile, *, uploaded: bool
) -> tuple[SnippetRequest, bytes | None]:
    """Return the request for the code examples, and the picture to download where the visitor has no file with these bytes."""
    snippet = SnippetRequest(
        os.environ.get("PUBLIC_API_ADDRESS") or client.address,
        request.model,
        request.device,
        file.download_name,
        media_type(file.data),
        with_key=client.sends_api_key,
        drawable=DRAW in sources.available_sources(card),
        multi_label=card.output.multi_label,
    )
    return snippet, None if uploaded and not file.shrunk else file.data


show_page()
