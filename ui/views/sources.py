"""The picture source: drawing canvas, file upload or camera."""

from pathlib import Path
from typing import Final

import streamlit as st

from ui.api.schemas import ModelCard, ServiceLimits
from ui.components import canvas, character_boxes, drop, file_limit, keyboard_pen, markup, pen, toolbar
from ui.i18n.streamlit_translations import translate_streamlit
from ui.i18n.translation import translate
from ui.state.files import PictureFile
from ui.state.session import CAMERA, DRAW, UPLOAD, Session
from ui.state.widget_state import OwnedWidget, widget_key

ASSETS: Final = Path(__file__).parents[1] / "assets"
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
    widget = OwnedWidget.showing("source", source)
    st.segmented_control(
        translate("sources.title"),
        names,
        default=source,
        required=True,
        format_func=titles.__getitem__,
        key=widget.key,
        on_change=widget.on_change(session.choose_source),
        label_visibility="collapsed",
        width="stretch",
    )
    return source


def source_title(source: str) -> str:
    """Return the displayed name of a source."""
    titles = {DRAW: translate("sources.draw"), UPLOAD: translate("sources.upload"), CAMERA: translate("sources.camera")}
    return titles[source]


def show(session: Session, source: str, card: ModelCard) -> list[PictureFile]:
    """Show the chosen source for a model and return its pictures.

    Canvas and uploader are always on the page and only hidden, because Streamlit forgets the state of missing widgets. The
    camera is on the page only when chosen, because the browser asks for permission as soon as it is there.
    """
    limits = session.catalogue.limits if session.catalogue else ServiceLimits()
    files = {DRAW: show_canvas(session, wide=card.is_sequence), UPLOAD: show_uploader(session, card.subject, limits)}
    if source == CAMERA:
        files[CAMERA] = show_camera(session, card, limits)
    drop.show(lambda: session.choose_source(UPLOAD))
    if source != DRAW:
        translate_streamlit()
    st.html(ASSETS / "wide_sheet.css" if card.is_sequence else "<style></style>")
    hide(*(part for part in (DRAW, UPLOAD) if part != source), *(() if source == DRAW else ("tools",)))
    return files[source]


def hide(*keys: str) -> None:
    """Hide the containers with these keys and their wrappers, which would leave gaps."""
    parts = ", ".join(f'.st-key-{key}, [data-testid="stLayoutWrapper"]:has(> .st-key-{key})' for key in keys)
    st.html(f"<style>{parts} {{ display: none; }}</style>")


def show_canvas(session: Session, *, wide: bool) -> list[PictureFile]:
    """Show the drawing canvas, a `wide` one for several characters, and return the drawing as PNG, if there is one."""
    pen.follow_sheet(wide=wide)
    with st.container(key=DRAW):
        picture = session.update_drawing(canvas.show(session.canvas_content, pen.current_pen(), wide=wide))
        keyboard_pen.show()
        st.html(character_boxes.overlay_html(DRAW))
    return [PictureFile.from_bytes("drawing.png", picture)] if picture else []


def show_tools() -> None:
    """Show the buttons of the canvas and the controls of the pen."""
    toolbar.show(on_invert=pen.invert)
    pen.show_controls()


def show_uploader(session: Session, subject: str, limits: ServiceLimits) -> list[PictureFile]:
    """Show the file uploader and return the files; a single picture is shown as a preview."""
    with st.container(key=UPLOAD):
        file_limit.limit_files()
        # Any file is taken, so that the page can say what is wrong with it.
        uploads = st.file_uploader(
            translate("sources.files"), None, True, key=widget_key("uploaded-files", session.uploader_number)
        )
        files = session.receive_files(uploads, limits)
        if not files:
            st.html(photo_advice(subject))
        preview = session.preview(files[0].data) if len(files) == 1 else None
        if preview is not None:
            st.html(preview_html(preview, UPLOAD))
        if session.opened:
            icon = ":material/close:"
            st.button(translate("sources.close"), key="close-opened", type="tertiary", icon=icon, on_click=session.remove_files)
        if len(files) == 1 and files[0].shrunk:
            st.html(f'<p class="muted">{markup.escape(translate("sources.shrunk"))}</p>')
    return files


def preview_html(preview: bytes, source: str) -> str:
    """Return the picture of a source, with the place for boxes around its characters."""
    image = markup.image(preview, alt=translate("sources.uploaded"))
    return f'<div class="upload-preview"><div class="boxed">{image}{character_boxes.overlay_html(source)}</div></div>'


def show_camera(session: Session, card: ModelCard, limits: ServiceLimits) -> list[PictureFile]:
    """Show the camera and return the photo, if one was taken; for a sequence it is shown again, with boxes."""
    photo = st.camera_input(translate("sources.camera"), key="camera", label_visibility="collapsed", resolution="480p")
    if photo is None:
        st.html(photo_advice(card.subject))
        return []
    if card.is_sequence and (preview := session.preview(photo.getvalue())):
        st.html(preview_html(preview, CAMERA))
    return [PictureFile.within_limits(limits, "photo.jpg", photo.getvalue())]


def photo_advice(subject: str) -> str:
    """Return one line on how to take a photo that can be read well."""
    known = {"object": translate("sources.object_advice"), "photo": translate("sources.photo_advice")}
    return f'<p class="muted">{markup.escape(known.get(subject) or translate("sources.ink_advice"))}</p>'
