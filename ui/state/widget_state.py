"""Sets the value of Streamlit widgets whose state the page, not the browser, owns."""

from typing import Final

import streamlit as st

from ui.i18n.translation import current_language

_MISSING: Final = object()


def widget_key(name: str, number: int) -> str:
    """Return the key of a widget that is replaced by a new one, without the state of the former, when its number grows."""
    return f"{name}-{number}" if number else name


def set_widget(key: str, value: object) -> None:
    """Set the value of the widget with this key; call it just before the widget.

    Nothing is set if the widget has the value already and was labelled in the same language, because setting it would overwrite
    what the visitor has chosen in the browser since.
    """
    state, language_key = st.session_state, f"{key}-language"
    if state.get(key, _MISSING) != value or state.get(language_key) != current_language():
        state[key] = value
        state[language_key] = current_language()
