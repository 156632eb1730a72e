"""The replay: a drawing drawn again, with the confidence of the model over time."""

from typing import Final

import streamlit as st

from ui.api.client import ServiceError, ServiceUnavailable
from ui.components import notices, pen
from ui.components import replay as animation
from ui.i18n.translation import translate
from ui.images.polyline import Polyline, Size
from ui.state.canvas_paths import to_polylines
from ui.state.files import BatchClassifier
from ui.state.replay import ReplayStep, replay
from ui.state.session import Session

_STEPS_KEY: Final = "replay-steps"


def show(session: Session, classifier: BatchClassifier, label: str) -> None:
    """Show the expander; the service is asked only while it is open. `label` is the answer to the whole drawing."""
    expander = st.expander(translate("replay.title"), key="replay", icon=":material/play_circle:", on_change="rerun")
    if not expander.open or not session.has_strokes:
        return
    strokes, background, size = to_polylines(session.strokes), pen.current_pen().background, session.drawing.size
    with expander:
        try:
            steps = _steps(classifier, strokes, background, label, size)
        except (ServiceUnavailable, ServiceError) as failure:
            notices.show_failure(failure, key="retry-replay")
            return
        animation.show(strokes, background, steps, label, size)


def _steps(
    classifier: BatchClassifier, strokes: tuple[Polyline, ...], background: str, label: str, size: Size
) -> list[ReplayStep]:
    """Return the steps; the service is asked once for the same drawing, model and device."""
    model = classifier.model
    request = strokes, background, label, size, model.name, model.version, classifier.device
    known = st.session_state.get(_STEPS_KEY)
    if known is None or known[0] != request:
        known = st.session_state[_STEPS_KEY] = request, replay(classifier, strokes, background, label, size)
    return list(known[1])
