"""Recovery from an outage: while the service does not answer, the page asks for it, and runs again as soon as it answers."""

from time import monotonic
from typing import Final

import streamlit as st

from ui.api.client import Client
from ui.state.session import Session

RETRY_SECONDS: Final = 2.0


def show(client: Client, session: Session) -> None:
    """Wait for the service if the last request to it was not answered. Shows nothing."""
    if session.unavailable:
        _wait(client, session, monotonic() + RETRY_SECONDS / 2)


@st.fragment(run_every=RETRY_SECONDS)
def _wait(client: Client, session: Session, not_before: float) -> None:
    """Rerun the page once the service is ready, or once something else has been answered since."""
    if monotonic() > not_before and (not session.unavailable or client.is_ready()):
        st.rerun()
