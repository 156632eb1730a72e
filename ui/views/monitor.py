"""The panel "Live" for engineers: how the service does now. It is asked only while the panel is open."""

from time import monotonic

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.service_metrics import parse_metrics
from ui.components import markup, monitor_charts, notices
from ui.i18n.translation import translate
from ui.state.monitor import INTERVAL_SECONDS, Monitor


@st.fragment
def show(client: Client) -> None:
    """Show the panel."""
    panel = st.expander(translate("monitor.title"), key="monitor", icon=":material/monitoring:", on_change="rerun")
    if panel.open:
        with panel:
            _show_figures(client)


@st.fragment(run_every=INTERVAL_SECONDS)
def _show_figures(client: Client) -> None:
    monitor = Monitor.current()
    try:
        monitor.add(monotonic(), parse_metrics(client.read_metrics()))
    except ServiceUnavailable as failure:
        st.html(notices.unavailable_alert(failure))
        return
    except ServiceError:
        st.html(_sentence(translate("monitor.not_allowed")))
        return
    st.html(monitor_charts.to_html(monitor.rates) if monitor.rates else _sentence(translate("monitor.waiting")))
    st.html(_sentence(translate("monitor.note")))


def _sentence(text: str) -> str:
    return f'<p class="muted">{markup.escape(text)}</p>'
