"""Fixtures of the page's tests: the page run by Streamlit without a browser; canvas and service are stand-ins."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partialmethod
from pathlib import Path

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui
from tests.ui.service import Service
from tests.ui.visitor import ADDRESS, Hand
from tests.ui.visits import Clock
from ui import canvas, gallery, kept
from ui.client import Client


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """What the page asks the stand-in with."""
    with closing(Client(ADDRESS, transport=httpx.MockTransport(service))) as client:
        yield client


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the gallery."""
    clock = Clock()
    monkeypatch.setattr(gallery, "monotonic", clock)
    monkeypatch.setattr(kept, "monotonic", clock)
    return clock


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def start(service: Service, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AppTest]]:
    """Opens the page, each time as another visitor."""
    monkeypatch.setenv("API_ADDRESS", ADDRESS)
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setattr(canvas, "show", hand.show)
    connected = partialmethod(Client.__init__, transport=httpx.MockTransport(service))
    monkeypatch.setattr(Client, "__init__", connected)
    st.cache_resource.clear()
    yield lambda: AppTest.from_file(str(Path(ui.__path__[0]) / "app.py"), default_timeout=60).run()
    st.cache_resource.clear()


@pytest.fixture
def page(start: Callable[[], AppTest]) -> AppTest:
    return start()
