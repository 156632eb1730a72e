"""The link to share: it holds the model and the drawing, and nothing of it is stored on the server."""

from typing import Final
from urllib.parse import urlencode

import streamlit as st

from ui.components import notices, pen
from ui.i18n.translation import translate
from ui.state.canvas_paths import to_polylines, to_stroke
from ui.state.drawing import Pen
from ui.state.session import DRAW, Session
from ui.state.shared_drawing import DamagedDrawing, DrawingTooLong, SharedDrawing, decode, encode

# The name of the drawing in the address of the page.
PARAMETER: Final = "drawing"
_LINK_KEY: Final = "opened-link"
_DAMAGED: Final = "damaged"


def load(session: Session) -> None:
    """Put the drawing of the page's address on the sheet, once for each visit; call it before the controls of the pen."""
    if _LINK_KEY in st.session_state:
        return
    st.session_state[_LINK_KEY] = None
    text = st.query_params.get(PARAMETER)
    if text is None:
        return
    try:
        drawing = decode(text)
    except DamagedDrawing:
        st.session_state[_LINK_KEY] = _DAMAGED
        return
    if drawing.strokes:
        last = drawing.strokes[-1]
        pen.set_pen(Pen(last.width, last.colour, drawing.background))
        session.choose_source(DRAW)
        session.load_strokes(tuple(map(to_stroke, drawing.strokes)), drawing.size)


def show_damage() -> None:
    """Say that the link was damaged, until something is drawn."""
    if st.session_state.get(_LINK_KEY) == _DAMAGED:
        st.html(notices.alert(translate("share.damaged")))


def show(session: Session, model: str) -> None:
    """Show the button that opens the link to this drawing and model, to be copied."""
    st.session_state[_LINK_KEY] = None  # the visitor has drawn since
    with st.popover(translate("share.title"), key="share", icon=":material/share:", type="tertiary"):
        try:
            text = encode(SharedDrawing(to_polylines(session.strokes), pen.current_pen().background, session.drawing.size))
        except DrawingTooLong:
            st.write(translate("share.too_long"))
            return
        st.write(translate("share.explanation"))
        with st.container(key="share-link"):
            st.code(link(model, text), language=None, wrap_lines=True, height=120)


def link(model: str, text: str) -> str:
    """Return the address of the page with a model and a drawing."""
    return f"{st.context.url or ''}?{urlencode({'model': model, PARAMETER: text})}"
