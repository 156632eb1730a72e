"""Where the picture comes from: the sheet, a file or the camera."""

from typing import Final

import streamlit as st

from ui import canvas, markup
from ui.desk import Desk, Question
from ui.sidebar import Choice

DRAW: Final = "Draw"
UPLOAD: Final = "Upload"
CAMERA: Final = "Camera"
ICONS: Final = {DRAW: ":material/draw:", UPLOAD: ":material/upload:", CAMERA: ":material/photo_camera:"}
# What belongs to a source and is on the page always, by its key.
PARTS: Final = {DRAW: ("draw", "brush"), UPLOAD: ("upload",)}

# What a good photo looks like.
OF_INK: Final = "Best read: one thing, large, in firm strokes on plain paper."
OF_OBJECTS: Final = "Best read: one piece, alone, before a plain light or dark ground."


def offered(subject: str) -> list[str]:
    """The sources for a subject, the one to begin with first. A drawn outline is no photo of an object."""
    return [UPLOAD, CAMERA] if subject == "object" else [DRAW, UPLOAD, CAMERA]


def choose(desk: Desk, subject: str) -> str:
    """The sources side by side; what the visitor chose last stays as long as it is on offer."""
    names = offered(subject)
    source = desk.source if desk.source in names else names[0]
    st.session_state["source"] = source

    def remember() -> None:
        # A click on the chosen one takes the choice back, which is no choice of another.
        desk.source = st.session_state["source"] or source

    st.segmented_control(
        "Where the picture comes from",
        names,
        format_func=lambda name: f"{ICONS[name]} {name}",
        key="source",
        on_change=remember,
        label_visibility="collapsed",
        width="stretch",
    )
    return source


def show(desk: Desk, source: str, choice: Choice) -> Question | None:
    """The chosen source; the question about the picture on it, or None while there is none.

    Sheet and file lie on the page always and are only hidden: Streamlit forgets what is not there. The camera is different,
    because the browser asks for permission as soon as it is on the page.
    """
    subject = choice.model.card.subject
    pictures = {DRAW: draw(desk, choice.brush), UPLOAD: upload(desk, subject)}
    if source == CAMERA:
        pictures[CAMERA] = take_photo(subject)
    hide(*(part for name, parts in PARTS.items() if name != source for part in parts))
    picture = pictures[source]
    if picture is None:
        return None
    return Question(picture, choice.model.name, choice.device, desk.drawing if source == DRAW else None)


def hide(*keys: str) -> None:
    """Take parts of the page out of sight and out of reach, and the wrappers that would leave gaps in their places."""
    parts = ", ".join(f'.st-key-{key}, [data-testid="stLayoutWrapper"]:has(> .st-key-{key})' for key in keys)
    st.html(f"<style>{parts} {{ display: none; }}</style>")


def draw(desk: Desk, brush: int) -> bytes | None:
    """The sheet: the PNG of what is drawn on it."""
    with st.container(key="draw"):
        drawing = canvas.show(desk.sheet, brush)
        desk.see(drawing)
        st.button("New drawing", key="new", icon=":material/note_add:", on_click=desk.new_sheet)
    return drawing.png


def upload(desk: Desk, subject: str) -> bytes | None:
    """A file's bytes as they were sent, whatever they are; the picture below it, where it is one."""
    with st.container(key="upload"):
        file = st.file_uploader("A PNG, JPEG or WebP file", ["png", "jpg", "jpeg", "webp"], key="file")
        if file is None:
            st.html(advice(subject))
            return None
        data = file.getvalue()
        preview = desk.preview(data)
        if preview is not None:
            st.html(f'<div class="sent">{markup.image(preview, alt="The picture you sent")}</div>')
    return data


def take_photo(subject: str) -> bytes | None:
    """The camera: the bytes of the photo taken."""
    photo = st.camera_input("Camera", key="camera", label_visibility="collapsed", resolution="480p")
    if photo is None:
        st.html(advice(subject))
    return photo.getvalue() if photo else None


def advice(subject: str) -> str:
    """One line on what a good photo looks like."""
    return f'<p class="quiet">{OF_OBJECTS if subject == "object" else OF_INK}</p>'
