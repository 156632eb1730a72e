"""Fixtures of the page's tests: the page run by Streamlit without a browser; canvas and service are stand-ins."""

from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui
from tests.ui.service import Service
from tests.ui.visitor import ADDRESS, Hand
from ui import canvas
from ui.client import Client


@pytest.fixture
def service() -> Service:
    return Service()


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
