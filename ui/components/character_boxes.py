"""Boxes around the characters of an answer, over the drawing or the uploaded picture, and the button that copies the text."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from ui.api.schemas import Classification
from ui.components import markup, sequence_answer
from ui.i18n.translation import translate
from ui.images.polyline import Size

_KEY: Final = "character-boxes"
_boxes: Final = st.components.v2.component(
    "character-boxes",
    html='<div class="copy-text"><button type="button"></button> <span role="status"></span></div>',
    js=Path(__file__).with_name("character_boxes.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(
    classification: Classification,
    *,
    place: str,
    size: Size | None,
    version: int,
    run: int,
    selected: int | None,
    select: Callable[[int], None],
) -> None:
    """Show the boxes, and the button that copies the text.

    Args:
        place: of the overlay that `overlay_html` has made.
        size: of the picture that the boxes are in, in pixels; where it is unknown, there are no boxes.
        version: of the drawing that was answered; a tap on a newer drawing selects nothing.
        run: another number in each run and for each picture, since the browser does not notice a run that changes nothing.
        selected: the number of the selected character, from 0.
        select: called with the number of the character that the visitor selects.
    """
    characters = (classification.characters or []) if size else []
    data = {
        "run": run,
        "place": place,
        "size": list(size or ()),
        "version": version,
        "selected": selected,
        "label": translate("sequence.boxes"),
        "text": classification.label,
        "copy": translate("sequence.copy"),
        "copied": translate("sequence.copied"),
        "characters": [
            {
                "name": sequence_answer.character_name(number, characters),
                "label": each.label,
                "box": list(each.box),
                "unsure": each.unsure,
            }
            for number, each in enumerate(characters)
        ],
    }

    def on_select() -> None:
        chosen = (st.session_state.get(_KEY) or {}).get("select")
        if chosen is not None:
            select(chosen["number"])

    _boxes(key=_KEY, data=data, on_select_change=on_select)


def overlay_html(place: str) -> str:
    """Return the place over a picture in which the browser shows the boxes."""
    return f'<div class="character-boxes" data-place="{markup.escape(place)}"></div>'
