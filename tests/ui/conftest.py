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
from tests.ui.gallery_helpers import FakeClock
from tests.ui.page_actions import ADDRESS, FakeCanvas
from ui.api.client import Client
from ui.components import canvas
from ui.state import saved_gallery, session_gallery
from ui.views import gallery


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> Iterator[Client]:
    """A client whose requests go to the fake service."""
    with closing(Client(ADDRESS, transport=httpx.MockTransport(service))) as client:
        yield client


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
def start(service: FakeService, fake_canvas: FakeCanvas, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AppTest]]:
    """A function that opens the page, each time in a new session."""
    monkeypatch.setenv("API_ADDRESS", ADDRESS)
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setattr(canvas, "show", fake_canvas.show)
    connected = partialmethod(Client.__init__, transport=httpx.MockTransport(service))
    monkeypatch.setattr(Client, "__init__", connected)
    st.cache_resource.clear()
    yield lambda: AppTest.from_file(str(Path(ui.__path__[0]) / "app.py"), default_timeout=60).run()
    st.cache_resource.clear()


@pytest.fixture
def page(start: Callable[[], AppTest]) -> AppTest:
    return start()
