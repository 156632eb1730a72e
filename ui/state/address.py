"""What the visitor chose is in the address of the page, so that a reload keeps it and a link carries it.

Streamlit itself keeps the model's name there (`ui/views/model_choice.py`). The back button goes to an earlier address; the page
then follows the address, not what was chosen since.
"""

from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.i18n.translation import forget_language

DEVICE: Final = "device"


def follow_history() -> None:
    """Discard the visitor's choices if this run is due to the back or forward button; the address has the earlier ones."""
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        forget_language()
        st.session_state.pop(DEVICE, None)


def chosen_device() -> str | None:
    """Return the device that the visitor chose, else the one in the address, which may be any text."""
    return st.session_state.get(DEVICE) or st.query_params.get(DEVICE)


def remember_device(default: str) -> None:
    """Write the chosen device to the address; the default is not in the address."""
    device = st.session_state[DEVICE]
    if device != default:
        st.query_params[DEVICE] = device
    else:
        st.query_params.pop(DEVICE, None)
