"""What widgets show where the page, and not the browser, knows what is chosen."""

from typing import Final

import streamlit as st

from ui.language import current

_UNKNOWN: Final = object()


def hold(key: str, value: object) -> None:
    """Have the widget of `key`, which comes next, show `value`.

    The browser is told only where it shows something else, or knows the choice by a word of another language: what it is told
    takes the place of what the visitor has chosen since.
    """
    state, spoken = st.session_state, f"{key}-spoken"
    if state.get(key, _UNKNOWN) != value or state.get(spoken) != current():
        state[key] = value
        state[spoken] = current()
