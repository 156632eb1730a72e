"""What is only there for the answer of a sequence model: boxes around its characters, one of which can be selected."""

from collections.abc import Callable
from zlib import crc32

from ui.api.schemas import Classification
from ui.components import character_boxes
from ui.images.resize import upright_size
from ui.state.session import DRAW, UPLOAD, ClassifyRequest, Session
from ui.views import explanation


def show_boxes(session: Session, request: ClassifyRequest, classification: Classification, selected: int | None) -> None:
    """Show the boxes over the picture of a request, and the button that copies the text."""
    drawn = request.drawing_number is not None or request.live
    character_boxes.show(
        classification,
        place=DRAW if drawn else session.source or UPLOAD,
        size=session.drawing.size if drawn else upright_size(request.picture),
        version=session.drawing.version,
        run=session.live.runs if drawn else crc32(request.picture),
        selected=selected,
        select=_selecting(session, classification.label, selected),
    )


def _selecting(session: Session, text: str, selected: int | None) -> Callable[[int], None]:
    """Return a function that selects a character and opens its explanation, or unselects the selected one."""

    def select(number: int) -> None:
        session.select_character(text, None if number == selected else number)
        if number != selected:
            explanation.open_expander()

    return select
