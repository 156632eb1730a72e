"""Browser tabs that tests share one after the other, emptied in between, so that the page's scripts are compiled once."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from tests.browser.processes import TIMEOUT_MS

# streamlit-drawable-canvas raises this error if the canvas is removed before it has loaded its strokes.
KNOWN_CANVAS_ERROR: Final = "Cannot read properties of undefined (reading 'clearRect')"
DEFAULTS: Final[dict[str, Any]] = {"color_scheme": "light", "locale": "en-US"}


class Tabs:
    """One tab, in a browser context of its own, for each kind of window."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._tabs: dict[str, Page] = {}

    @contextmanager
    def open(self, **options: Any) -> Iterator[Page]:
        """An empty tab of a window with these options. Fails at the end if the page called other hosts or logged errors."""
        tab = self._tab(options)
        with Watch(tab) as watch:
            yield tab
        self._empty(tab, options, watch.origins)
        errors = [error for error in watch.errors if error != KNOWN_CANVAS_ERROR]
        assert errors == [], errors
        assert watch.external_requests == [], watch.external_requests

    def _tab(self, options: dict[str, Any]) -> Page:
        tab = self._tabs.get(repr(options))
        if tab is None:
            context = self._browser.new_context(**DEFAULTS, **options)
            context.set_default_timeout(TIMEOUT_MS)
            tab = self._tabs[repr(options)] = context.new_page()
        return tab

    def _empty(self, tab: Page, options: dict[str, Any], origins: set[str]) -> None:
        """Make the tab as a new one: no page, storage, cookies, permissions, other tabs, or changed window."""
        del self._tabs[repr(options)]  # a tab that cannot be emptied is not used again
        for other in tab.context.pages:
            if other is not tab:
                other.close()
        tab.mouse.up()
        tab.mouse.move(0, 0)
        with suppress(Error):  # a page without an origin has no storage
            tab.evaluate("sessionStorage.clear()")
        tab.goto("about:blank")
        tab.emulate_media(color_scheme="light")
        tab.set_viewport_size(options["viewport"])
        tab.context.clear_cookies()
        tab.context.clear_permissions()
        session = tab.context.new_cdp_session(tab)
        for origin in origins:
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        session.detach()
        self._tabs[repr(options)] = tab


class Watch:
    """What a tab does until the block ends: errors in its console, requests to other hosts, origins it was at."""

    def __init__(self, tab: Page) -> None:
        self.errors: list[str] = []
        self.external_requests: list[str] = []
        self.origins: set[str] = set()
        self._tab = tab

    def __enter__(self) -> "Watch":
        self._tab.on("console", self._on_console)
        self._tab.on("pageerror", self._on_error)
        self._tab.on("request", self._on_request)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._tab.remove_listener("console", self._on_console)
        self._tab.remove_listener("pageerror", self._on_error)
        self._tab.remove_listener("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _on_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if is_external(request.url):
            self.external_requests.append(request.url)
        elif parts.hostname:
            self.origins.add(f"{parts.scheme}://{parts.netloc}")


def is_external(url: str) -> bool:
    """Return whether a request to the URL leaves this machine."""
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1"
