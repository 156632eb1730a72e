"""The export passed on by the page's server, from a stand-in for the service."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Scope

from tests.ui.service import Gallery, Service, kept, problem
from ui import export
from ui.export import MOST, PATH, export_route, link

ADDRESS = "http://127.0.0.1:3000"
SCOPE: Scope = {
    "type": "http",
    "method": "GET",
    "path": PATH,
    "query_string": b"",
    "headers": [],
    "asgi": {"spec_version": "2.3"},
}


def server(reply: Callable[[httpx.Request], httpx.Response], api_key: str | None = None) -> Starlette:
    return Starlette(routes=[export_route(ADDRESS, api_key, httpx.MockTransport(reply))])


def fetch(app: Starlette, path: str = PATH, **params: str) -> httpx.Response:
    """What a browser is answered."""

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as browser:
            return await browser.get(path, params=params or None)

    return asyncio.run(get())


def test_the_export_is_passed_on() -> None:
    service = Service(gallery=Gallery({"1": kept("1", corrected="4")}))
    page = server(service, "secret")
    answer = fetch(page, "/" + link("digits"))
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''gallery-digits.zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["4/1.png", "manifest.json"]
    assert "gallery.zip" in fetch(page, "/" + link(None)).headers["content-disposition"]
    first, second = service.asked
    assert dict(first.url.params) == {"model": "digits"}
    assert dict(second.url.params) == {}
    assert first.headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("model", ['a"b\r\nSet-Cookie: x', "../..", "가" * 100])
def test_a_name_leads_nowhere_else(model: str) -> None:
    service = Service(gallery=Gallery({"1": kept("1")}))
    answer = fetch(server(service), model=model)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert service.asked[0].url.path == "/gallery/export"
    assert len(service.asked[0].url.params["model"]) <= 63


def test_what_the_service_says_is_told() -> None:
    away = Service(gallery=Gallery(away=True))
    answer = fetch(server(away))
    assert (answer.status_code, answer.text) == (503, "The database of the gallery does not answer.\n")
    answer = fetch(server(lambda _: problem(429, "overloaded", "Too many", "Later.")))
    assert (answer.status_code, answer.text) == (429, "Later.\n")
    assert fetch(server(lambda _: httpx.Response(500, text="oops"))).status_code == 500

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    page = server(down)
    for _ in range(2 * MOST):
        assert "does not answer" in fetch(page).text


class Endless:
    """An export that never ends, and how much of it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.asked += 1
            yield bytes(65_536)


def test_exports_that_nobody_reads_are_few_and_hold_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PATIENCE_SECONDS", 0.2)
    endless = Endless()
    app = server(lambda _: httpx.Response(200, content=endless))
    begun = 0

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start":
            begun += 1
            return
        await asyncio.Event().wait()

    async def browse() -> None:
        readers = [asyncio.ensure_future(app(dict(SCOPE), receive, send)) for _ in range(MOST)]
        with anyio.fail_after(10):
            while begun < MOST or endless.asked < MOST:
                await asyncio.sleep(0)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as another:
            assert (await another.get(PATH)).status_code == 429
        assert endless.asked <= 2 * MOST
        with anyio.fail_after(10):
            outcomes = await asyncio.gather(*readers, return_exceptions=True)
        assert all(isinstance(outcome, TimeoutError) for outcome in outcomes), outcomes
        readers = [asyncio.ensure_future(app(dict(SCOPE), receive, send)) for _ in range(MOST)]
        with anyio.fail_after(10):
            while begun < 2 * MOST:
                await asyncio.sleep(0)
        await asyncio.gather(*readers, return_exceptions=True)

    asyncio.run(browse())
