"""The picture source: drawing canvas, file upload or camera."""

from typing import Final

import streamlit as st

from ui.api.schemas import ModelCard, ServiceLimits
from ui.components import canvas, markup, pen
from ui.i18n.streamlit_translations import translate_streamlit
from ui.i18n.translation import translate
from ui.images.media_types import SUFFIXES
from ui.state.files import PictureFile
from ui.state.session import CAMERA, DRAW, UPLOAD, Session
from ui.state.widget_state import set_widget

ICONS: Final = {DRAW: ":material/draw:", UPLOAD: ":material/upload:", CAMERA: ":material/photo_camera:"}


def available_sources(card: ModelCard) -> list[str]:
    """Return the sources for a model, the default first.

    Objects and pictures in colour cannot be drawn: an outline is not like a photo. A model of whole pictures in grey may have
    learnt drawings, such as the digits of MNIST, so that drawing comes last.
    """
    if card.subject == "photo" and not card.in_colour:
        return [UPLOAD, CAMERA, DRAW]
    return [UPLOAD, CAMERA] if card.subject in ("object", "photo") else [DRAW, UPLOAD, CAMERA]


def select_source(session: Session, card: ModelCard) -> str:
    """Show the sources and return the chosen one; the visitor's last choice counts while it is available."""
    names = available_sources(card)
    titles = {name: f"{ICONS[name]} {source_title(name)}" for name in names}
    source = session.source if session.source in names else names[0]
    set_widget("source", source)

    def remember() -> None:
        session.source = st.session_state["source"]

    st.segmented_control(
        translate("sources.title"),
        names,
        required=True,
        format_func=titles.__getitem__,
        key="source",
        on_change=remember,
        label_visibility="collapsed",
        width="stretch",
    )
    return source


def source_title(source: str) -> str:
    """Return the displayed name of a source."""
    titles = {DRAW: translate("sources.draw"), UPLOAD: translate("sources.upload"), CAMERA: translate("sources.camera")}
    return titles[source]


def show(session: Session, source: str, subject: str) -> list[PictureFile]:
    """Show the chosen source and return its pictures.

    Canvas and uploader are always on the page and only hidden, because Streamlit forgets the state of missing widgets. The
    camera is on the page only when chosen, because the browser asks for permission as soon as it is there.
    """
    limits = session.catalogue.limits if session.catalogue else ServiceLimits()
    files = {DRAW: show_canvas(session), UPLOAD: show_uploader(session, subject, limits)}
    if source == CAMERA:
        files[CAMERA] = show_camera(subject, limits)
    if source != DRAW:
        translate_streamlit()
    hide(*(part for part in (DRAW, UPLOAD) if part != source), *(() if source == DRAW else ("tools",)))
    return files[source]


def hide(*keys: str) -> None:
    """Hide the containers with these keys and their wrappers, which would leave gaps."""
    parts = ", ".join(f'.st-key-{key}, [data-testid="stLayoutWrapper"]:has(> .st-key-{key})' for key in keys)
    st.html(f"<style>{parts} {{ display: none; }}</style>")


def show_canvas(session: Session) -> list[PictureFile]:
    """Show the drawing canvas and return the drawing as PNG, if there is one."""
    with st.container(key=DRAW):
        picture = session.update_drawing(canvas.show(session.canvas_content, pen.current_pen()))
    return [PictureFile.from_bytes("drawing.png", picture)] if picture else []


def show_tools(session: Session, source: str) -> None:
    """Show the buttons of the canvas. Their keyboard shortcuts work only while the canvas is the chosen source."""
    disabled = source != DRAW or not session.has_strokes
    undo_icon, clear_icon = ":material/undo:", ":material/delete:"
    st.button(translate("sources.undo"), key="undo", icon=undo_icon, on_click=session.undo, disabled=disabled, shortcut="Mod+Z")
    st.button(
        translate("sources.clear"), key="clear", icon=clear_icon, on_click=session.clear, disabled=disabled, shortcut="Delete"
    )
    pen.show_controls(lambda: session.recolour(pen.current_pen().ink))


def show_uploader(session: Session, subject: str, limits: ServiceLimits) -> list[PictureFile]:
    """Show the file uploader and return the files; a single picture is shown as a preview."""
    with st.container(key=UPLOAD):
        uploads = st.file_uploader(translate("sources.files"), list(SUFFIXES), True, key="uploaded-files")
        files = session.receive_files(uploads, limits)
        if not files:
            st.html(photo_advice(subject))
        preview = session.preview(files[0].data) if len(files) == 1 else None
        if preview is not None:
            image = markup.image(preview, alt=translate("sources.uploaded"))
            st.html(f'<div class="upload-preview">{image}</div>')
        if len(files) == 1 and files[0].shrunk:
            st.html(f'<p class="muted">{markup.escape(translate("sources.shrunk"))}</p>')
    return files


def show_camera(subject: str, limits: ServiceLimits) -> list[PictureFile]:
    """Show the camera and return the photo, if one was taken."""
    photo = st.camera_input(translate("sources.camera"), key="camera", label_visibility="collapsed", resolution="480p")
    if photo is None:
        st.html(photo_advice(subject))
        return []
    return [PictureFile.within_limits(limits, "photo.jpg", photo.getvalue())]


def photo_advice(subject: str) -> str:
    """Return one line on how to take a photo that can be read well."""
    known = {"object": translate("sources.object_advice"), "photo": translate("sources.photo_advice")}
    return f'<p class="muted">{markup.escape(known.get(subject) or translate("sources.ink_advice"))}</p>'
