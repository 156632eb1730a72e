"""Fixtures of the browser tests: one Chromium, one page process, a fresh visit per test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.processes import CHROMIUM, NO_CHROMIUM, launch, shoot, start_page
from tests.support.pictures import STROKES, WHITE, canvas

PATIENCE_MS = 60_000
# A sheet that is taken away before it has loaded its strokes draws them all the same (streamlit-drawable-canvas), on nothing.
TAKEN_AWAY = "Cannot read properties of undefined (reading 'clearRect')"


# Not for the session: Playwright keeps an event loop running in this thread, and other rooms' tests start their own.
@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, its camera on a 4 on paper, or a skipped test that says how to get it."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=PATIENCE_MS)
    film = tmp_path_factory.mktemp("camera") / "four.y4m"
    shoot(canvas(STROKES["4"], paper=WHITE, side=480, offset=(100, 100)), film)
    with sync_playwright() as playwright:
        browser = launch(playwright, film)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def page_address(chromium: Browser, service_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real page process on the real service."""
    assert chromium.is_connected()  # asked for first: without a browser nothing else need start
    with start_page(service_address, tmp_path_factory.mktemp("page")) as address:
        yield address


@contextmanager
def visiting(chromium: Browser, **options: Any) -> Iterator[Page]:
    """An empty tab. At the end the page must have asked loopback only and complained about nothing."""
    with chromium.new_context(**{"color_scheme": "light", "locale": "en-US", **options}) as context:
        context.set_default_timeout(PATIENCE_MS)
        tab = context.new_page()
        complaints: list[str] = []
        strangers: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: strangers.append(request.url) if outside(request.url) else None)
        yield tab
        assert [complaint for complaint in complaints if complaint != TAKEN_AWAY] == []
        assert strangers == []


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Page]:
    """A visitor with mouse and keyboard before a wide screen."""
    with visiting(chromium, viewport={"width": 1280, "height": 900}) as tab:
        yield tab


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A visitor with a phone: fingers and a narrow screen."""
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with visiting(chromium, **options) as tab:
        yield tab


@pytest.fixture
def page(visit: Page, page_address: str) -> Page:
    """The page, opened."""
    visit.goto(page_address)
    return visit


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Where a test's own processes write."""
    return tmp_path


def outside(url: str) -> bool:
    """Whether asking for the address leaves this machine."""
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1"
