"""Fixtures of the browser tests: one Chromium, one page process, and a new tab per test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.processes import CHROMIUM, NO_CHROMIUM, launch_chromium, start_page, write_camera_video
from tests.support.pictures import STROKES, WHITE, canvas

TIMEOUT_MS = 60_000
# streamlit-drawable-canvas raises this error if the canvas is removed before it has loaded its strokes.
KNOWN_CANVAS_ERROR = "Cannot read properties of undefined (reading 'clearRect')"


# Package scope: Playwright keeps an event loop running in this thread, and tests of other packages start their own.
@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera shows a 4 on paper. Without Chromium the test is skipped with a note how to install it."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=TIMEOUT_MS)
    video = tmp_path_factory.mktemp("camera") / "four.y4m"
    write_camera_video(canvas(STROKES["4"], paper=WHITE, side=480, offset=(100, 100)), video)
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright, video)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def page_address(chromium: Browser, service_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page process that uses the real service."""
    assert chromium.is_connected()  # requested first: without a browser nothing else must start
    with start_page(service_address, tmp_path_factory.mktemp("page")) as address:
        yield address


@contextmanager
def open_tab(chromium: Browser, **options: Any) -> Iterator[Page]:
    """Open an empty tab. At the end, fail if the page sent requests to other hosts or logged errors."""
    with chromium.new_context(**{"color_scheme": "light", "locale": "en-US", **options}) as context:
        context.set_default_timeout(TIMEOUT_MS)
        tab = context.new_page()
        errors: list[str] = []
        external_requests: list[str] = []
        tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("request", lambda request: external_requests.append(request.url) if is_external(request.url) else None)
        yield tab
        assert [error for error in errors if error != KNOWN_CANVAS_ERROR] == []
        assert external_requests == []


@pytest.fixture
def desktop(chromium: Browser) -> Iterator[Page]:
    """A tab with mouse, keyboard and a wide screen."""
    with open_tab(chromium, viewport={"width": 1280, "height": 900}) as tab:
        yield tab


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A tab of a phone: touch and a narrow screen."""
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with open_tab(chromium, **options) as tab:
        yield tab


@pytest.fixture
def page(desktop: Page, page_address: str) -> Page:
    """The page in a desktop tab."""
    desktop.goto(page_address)
    return desktop


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The folder for the logs of a test's own processes."""
    return tmp_path


def is_external(url: str) -> bool:
    """Return whether a request to the URL leaves this machine."""
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1"
