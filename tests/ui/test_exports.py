"""The gallery's export goes through the page to the browser without ever being there as a whole."""

import asyncio
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Callable, MutableMapping
from io import BytesIO
from typing import Any

import httpx
import pytest

from tests.ui.service import Gallery, Service, kept, problem
from ui import exports
from ui.exports import AT_ONCE, PATH, Exports, link

MB = 2**20
Reply = Callable[[httpx.Request], httpx.Response]


def page(reply: Reply, api_key: str | None = None) -> Exports:
    """The page's exports before a service that replies so."""

    async def other(*_: Any) -> None:
        raise AssertionError("this was for the page")

    return Exports(other, "http://api:3000/", api_key, httpx.MockTransport(reply))


class Browser:
    """Asks for an export; takes all of it, or waits before the second piece."""

    def __init__(self, *, waits: bool = False) -> None:
        self.messages: list[MutableMapping[str, Any]] = []
        self.taken = 0
        self.keep = True
        self.go = asyncio.Event()
        self.waiting = asyncio.Event()
        if not waits:
            self.go.set()

    async def ask(self, app: Exports, query: str = "", method: str = "GET") -> None:
        scope = {"type": "http", "method": method, "path": PATH, "query_string": query.encode(), "headers": []}
        await app({**scope, "asgi": {"spec_version": "2.3"}}, self.receive, self.send)

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body" and self.taken:
            self.waiting.set()
            await self.go.wait()
        self.taken += len(message.get("body", b""))
        if self.keep or message["type"] == "http.response.start":
            self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def complete(self) -> bool:
        return not self.messages[-1].get("more_body", False)


def asked(app: Exports, query: str = "", method: str = "GET") -> Browser:
    """A browser that asked."""

    async def ask() -> Browser:
        browser = Browser()
        await browser.ask(app, query, method)
        return browser

    return asyncio.run(ask())


def test_the_export_comes_with_its_name_and_the_page_s_key() -> None:
    service = Service(gallery=Gallery({"1": kept("1", corrected="4")}))
    browser = asked(page(service, "secret"), "model=digits")
    assert zipfile.ZipFile(BytesIO(browser.body)).namelist() == ["4/1.png", "manifest.json"]
    headers = dict(browser.messages[0]["headers"])
    assert headers[b"content-disposition"] == b'attachment; filename="gallery-digits.zip"'
    assert headers[b"content-type"] == b"application/zip"
    (request,) = service.asked
    assert request.url == "http://api:3000/gallery/export?model=digits"
    assert request.headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("model", ['a"b', "a\r\nb", "../a", "\u0661"])
def test_a_name_that_is_no_model_s_names_no_file(model: str) -> None:
    service = Service(gallery=Gallery({}))
    headers = dict(asked(page(service), link(model).partition("?")[2]).messages[0]["headers"])
    assert headers[b"content-disposition"] == b'attachment; filename="gallery.zip"'
    assert service.asked[0].url.params["model"] == model


def test_the_page_never_holds_the_whole_of_it() -> None:
    async def body() -> AsyncIterator[bytes]:
        for number in range(100):
            yield bytes([number]) * MB

    async def ask() -> int:
        browser = Browser()
        browser.keep = False
        tracemalloc.start()
        await browser.ask(page(lambda _: httpx.Response(200, content=body())))
        assert browser.taken == 100 * MB
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert asyncio.run(ask()) < 16 * MB


def test_a_service_that_gives_none_is_told_of() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    for reply in (lambda _: problem(500, "internal"), lambda _: problem(401, "unauthorized"), unreachable):
        browser = asked(page(reply))
        assert browser.status == 503 and b"service" in browser.body and browser.complete
    assert asked(page(Service(gallery=Gallery({}))), method="POST").status == 405


def test_what_breaks_off_does_not_look_complete() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"PK"
        raise httpx.ReadError("reset")

    browser = asked(page(lambda _: httpx.Response(200, content=body())))
    assert browser.body == b"PK" and not browser.complete


def test_few_are_served_at_a_time_and_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x"

    async def ask() -> None:
        app = page(lambda _: httpx.Response(200, content=body()))
        slow = [Browser(waits=True) for _ in range(AT_ONCE)]
        running = [asyncio.create_task(browser.ask(app)) for browser in slow]
        for browser in slow:
            await browser.waiting.wait()
        refused = Browser()
        await refused.ask(app)
        assert refused.status == 429
        slow[0].go.set()
        await running[0]
        assert slow[0].body == b"xxx" and slow[0].complete
        monkeypatch.setattr(exports, "WRITE_SECONDS", 0.01)
        stuck = Browser(waits=True)
        await stuck.ask(app)
        assert not stuck.complete
        slow[1].go.set()
        await running[1]
        last = Browser()
        await last.ask(app)
        assert last.body == b"xxx"

    asyncio.run(ask())
