"""Fixtures of the browser tests: one Chromium with tabs that are emptied after each test, and page processes."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.processes import (
    CHROMIUM,
    NO_CHROMIUM,
    TIMEOUT_MS,
    ServiceSwitch,
    launch_chromium,
    serve_fake,
    start_page,
    write_camera_video,
)
from tests.browser.tabs import Tabs
from tests.support.locks import locked
from tests.support.pictures import STROKES, WHITE, canvas


# Package scope: Playwright keeps an event loop running in this thread, and tests of other packages start their own.
@pytest.fixture(scope="package")
def chromium(network_lock: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera shows a 4 on paper. Without Chromium the test is skipped with a note how to install it."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=TIMEOUT_MS)
    video = tmp_path_factory.mktemp("camera") / "four.y4m"
    write_camera_video(canvas(STROKES["4"], paper=WHITE, side=480, offset=(100, 100)), video)
    with locked(network_lock, shared=True), sync_playwright() as playwright:
        browser = launch_chromium(playwright, video)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shared_page(chromium: Browser, service_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page process that uses the real service."""
    assert chromium.is_connected()  # requested first: without a browser nothing else must start
    with start_page(service_address, tmp_path_factory.mktemp("page")) as address:
        yield address


@pytest.fixture
def page_address(shared_page: str, service_address: str) -> str:
    """The address of the page, whose service has no saved pictures: other tests of this process use the service as well."""
    httpx.delete(f"{service_address}/gallery").raise_for_status()
    return shared_page


@pytest.fixture(scope="package")
def tabs(chromium: Browser) -> Tabs:
    return Tabs(chromium)


@pytest.fixture(scope="package")
def switch() -> ServiceSwitch:
    return ServiceSwitch()


@pytest.fixture(scope="package")
def switched_page(chromium: Browser, switch: ServiceSwitch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page process whose service is the switch."""
    assert chromium.is_connected()
    with serve_fake(switch) as address, start_page(address, tmp_path_factory.mktemp("page")) as page_address:
        yield page_address


@pytest.fixture
def desktop(tabs: Tabs) -> Iterator[Page]:
    """A tab with mouse, keyboard and a wide screen."""
    with tabs.open(viewport={"width": 1280, "height": 900}) as tab:
        yield tab


@pytest.fixture
def phone(tabs: Tabs) -> Iterator[Page]:
    """A tab of a phone: touch and a narrow screen."""
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with tabs.open(**options) as tab:
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
