"""Fixtures of the page's tests: Streamlit runs the page without a browser, with a fake service and a fake canvas."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partialmethod
from pathlib import Path

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui
from tests.ui.fake_service import FakeService
from tests.ui.gallery_helpers import FakeClock, ManualTimer
from tests.ui.page_actions import ADDRESS, FakeCanvas
from ui.api.client import Client
from ui.components import canvas
from ui.state import deletions, saved_gallery, session_gallery
from ui.views import gallery


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> Iterator[Client]:
    """A client whose requests go to the fake service."""
    with closing(Client(ADDRESS, transport=httpx.MockTransport(service))) as client:
        yield client


@pytest.fixture(autouse=True)
def manual_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are deleted when a test asks for it: no thread does it later, when the test is over."""
    monkeypatch.setattr(deletions, "Timer", ManualTimer)
    monkeypatch.setattr(deletions, "_deletions", {})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of the gallery."""
    clock = FakeClock()
    for module in (saved_gallery, session_gallery, gallery):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.fixture
def fake_canvas() -> FakeCanvas:
    return FakeCanvas()


@pytest.fixture
def start(service: FakeService, fake_canvas: FakeCanvas, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """A function that opens the page, each time in a new session; its keyword arguments are the address's parameters."""
    monkeypatch.setenv("API_ADDRESS", ADDRESS)
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setattr(canvas, "show", fake_canvas.show)
    connected = partialmethod(Client.__init__, transport=httpx.MockTransport(service))
    monkeypatch.setattr(Client, "__init__", connected)
    st.cache_resource.clear()

    def start_page(**address: str) -> AppTest:
        page = AppTest.from_file(str(Path(ui.__path__[0]) / "app.py"), default_timeout=60)
        for name, value in address.items():
            page.query_params[name] = value
        return page.run()

    yield start_page
    st.cache_resource.clear()


@pytest.fixture
def page(start: Callable[..., AppTest]) -> AppTest:
    return start()
