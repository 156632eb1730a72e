"""Where the picture comes from: the sheet, a file or the camera."""

from typing import Final

import streamlit as st

from ui import canvas, choices, markup, pen, words
from ui.answers import Limits
from ui.desk import Desk
from ui.files import File
from ui.language import say
from ui.pictures import SUFFIXES

DRAW: Final = "draw"
UPLOAD: Final = "upload"
CAMERA: Final = "camera"
ICONS: Final = {DRAW: ":material/draw:", UPLOAD: ":material/upload:", CAMERA: ":material/photo_camera:"}


def offered(subject: str) -> list[str]:
    """The sources for a subject, the one to begin with first. A drawn outline is no photo of an object."""
    return [UPLOAD, CAMERA] if subject == "object" else [DRAW, UPLOAD, CAMERA]


def choose(desk: Desk, subject: str) -> str:
    """The sources side by side; what the visitor chose last stays as long as it is on offer."""
    names = offered(subject)
    titles = {name: f"{ICONS[name]} {title(name)}" for name in names}
    source = desk.source if desk.source in names else names[0]
    choices.hold("source", source)

    def remember() -> None:
        desk.source = st.session_state["source"]

    st.segmented_control(
        say("sources.title"),
        names,
        required=True,
        format_func=titles.__getitem__,
        key="source",
        on_change=remember,
        label_visibility="collapsed",
        width="stretch",
    )
    return source


def title(source: str) -> str:
    """The word for a source."""
    return {DRAW: say("sources.draw"), UPLOAD: say("sources.upload"), CAMERA: say("sources.camera")}[source]


def show(desk: Desk, source: str, subject: str) -> list[File]:
    """The chosen source; the pictures on it, as files, none while there is none.

    Sheet and files lie on the page always and are only hidden: Streamlit forgets what is not there. The camera is different,
    because the browser asks for permission as soon as it is on the page.
    """
    limits = desk.catalogue.limits if desk.catalogue else Limits()
    files = {DRAW: draw(desk), UPLOAD: upload(desk, subject, limits)}
    if source == CAMERA:
        files[CAMERA] = take_photo(subject, limits)
    if source != DRAW:
        words.translate()
    hide(*(part for part in (DRAW, UPLOAD) if part != source), *(() if source == DRAW else ("tools",)))
    return files[source]


def hide(*keys: str) -> None:
    """Take parts of the page out of sight and out of reach, and the wrappers that would leave gaps in their places."""
    parts = ", ".join(f'.st-key-{key}, [data-testid="stLayoutWrapper"]:has(> .st-key-{key})' for key in keys)
    st.html(f"<style>{parts} {{ display: none; }}</style>")


def draw(desk: Desk) -> list[File]:
    """The sheet; what is drawn on it, as PNG."""
    with st.container(key=DRAW):
        picture = desk.see(canvas.show(desk.start, pen.current()))
    return [File.of("drawing.png", picture)] if picture else []


def tools(desk: Desk, source: str) -> None:
    """What goes with the sheet. Its keys work only while the sheet is the chosen source."""
    idle = source != DRAW or not desk.inked
    st.button(say("sources.undo"), key="undo", icon=":material/undo:", on_click=desk.undo, disabled=idle, shortcut="Mod+Z")
    st.button(
        say("sources.clear"), key="clear", icon=":material/delete:", on_click=desk.clear, disabled=idle, shortcut="Delete"
    )
    pen.choose(lambda: desk.recolour(pen.current().ink))


def upload(desk: Desk, subject: str, limits: Limits) -> list[File]:
    """Files as they were sent, whatever they are; a single one is shown, where it is a picture."""
    with st.container(key=UPLOAD):
        sent = st.file_uploader(say("sources.files"), list(SUFFIXES), True, key="files-sent")
        files = desk.receive(sent, limits)
        if not files:
            st.html(advice(subject))
        preview = desk.preview(files[0].data) if len(files) == 1 else None
        if preview is not None:
            st.html(f'<div class="sent">{markup.image(preview, alt=say("sources.sent"))}</div>')
        if len(files) == 1 and files[0].smaller:
            st.html(f'<p class="quiet">{markup.text(say("sources.smaller"))}</p>')
    return files


def take_photo(subject: str, limits: Limits) -> list[File]:
    """The camera; the photo taken."""
    photo = st.camera_input(say("sources.camera"), key="camera", label_visibility="collapsed", resolution="480p")
    if photo is None:
        st.html(advice(subject))
        return []
    return [File.within(limits, "photo.jpg", photo.getvalue())]


def advice(subject: str) -> str:
    """One line on what a good photo looks like."""
    return f'<p class="quiet">{say("sources.of_objects") if subject == "object" else say("sources.of_ink")}</p>'
