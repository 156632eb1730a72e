"""What the visitor chose is in the address of the page, so that a reload keeps it and a link carries it.

Streamlit itself keeps the model's name there (`ui/views/model_choice.py`). The back button goes to an earlier address; the page
then follows the address, not what was chosen since.
"""

from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.i18n.translation import forget_language

_DEVICE: Final = "device"


def follow_history() -> None:
    """Discard the chosen language if this run is due to the back or forward button; the address has the earlier one."""
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        forget_language()


def chosen_device() -> str | None:
    """Return the device in the address, which may be any text."""
    return st.query_params.get(_DEVICE)


def remember_device(device: str, default: str) -> None:
    """Write the chosen device to the address; the default is not in the address."""
    if device != default:
        st.query_params[_DEVICE] = device
    else:
        st.query_params.pop(_DEVICE, None)
