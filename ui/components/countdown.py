"""A countdown that runs in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from ui.i18n.translation import translate

_countdown: Final = st.components.v2.component(
    "countdown",
    html='<span class="countdown" role="timer"></span>',
    js=Path(__file__).with_name("countdown.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(game: str, remaining: float, on_end: Callable[[], None]) -> None:
    """Show the seconds that are left and call `on_end` once there are none.

    Args:
        game: identifies the countdown: `remaining` counts only the first time that it is shown.
    """
    text = translate("challenge.seconds", seconds="{seconds}")  # the browser fills in the seconds
    data = {"game": game, "remaining_ms": round(remaining * 1000), "text": text}
    _countdown(key="challenge-countdown", data=data, on_ended_change=on_end)
