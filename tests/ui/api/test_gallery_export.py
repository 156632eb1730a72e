"""The route that streams the gallery's export from the service."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Scope

from tests.ui.fake_service import FakeGallery, FakeService, gallery_entry, problem_response
from ui.api import gallery_export
from ui.api.gallery_export import MAX_CONCURRENT_EXPORTS, PATH, export_route, export_url
from ui.api.gallery_schemas import GalleryFilter

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
    """Return the response to a browser."""

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as browser:
            return await browser.get(path, params=params or None)

    return asyncio.run(get())


def test_export_is_streamed_with_its_file_name() -> None:
    service = FakeService(gallery=FakeGallery({"1": gallery_entry("1", corrected="4")}))
    page = server(service, "secret")
    answer = fetch(page, "/" + export_url(GalleryFilter(model="digits")))
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''gallery-digits.zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["4/1.png", "manifest.json"]
    assert "gallery.zip" in fetch(page, "/" + export_url(GalleryFilter())).headers["content-disposition"]
    first, second = service.requests
    assert dict(first.url.params) == {"model": "digits"}
    assert dict(second.url.params) == {}
    assert first.headers["Authorization"] == "Bearer secret"


def test_export_has_the_selection_of_the_page() -> None:
    service = FakeService(gallery=FakeGallery({"1": gallery_entry("1")}))
    page = server(service)
    for corrected in (True, False):
        fetch(page, "/" + export_url(GalleryFilter("digits", "T-shirt/top & x", corrected)))
    sent = [dict(request.url.params) for request in service.requests]
    assert sent[0] == {"model": "digits", "label": "T-shirt/top & x", "corrected": "true"}
    assert sent[1]["corrected"] == "false"


@pytest.mark.parametrize("model", ['a"b\r\nSet-Cookie: x', "../..", "가" * 100])
def test_model_name_cannot_change_headers_or_path(model: str) -> None:
    service = FakeService(gallery=FakeGallery({"1": gallery_entry("1")}))
    answer = fetch(server(service), model=model)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert service.requests[0].url.path == "/gallery/export"
    assert len(service.requests[0].url.params["model"]) <= 63


def test_error_of_the_service_is_passed_on() -> None:
    no_database = FakeService(gallery=FakeGallery(database_down=True))
    answer = fetch(server(no_database))
    assert (answer.status_code, answer.text) == (503, "The database of the gallery does not answer.\n")
    answer = fetch(server(lambda _: problem_response(429, "overloaded", "Too many", "Later.")))
    assert (answer.status_code, answer.text) == (429, "Later.\n")
    assert fetch(server(lambda _: httpx.Response(500, text="oops"))).status_code == 500

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    page = server(down)
    for _ in range(2 * MAX_CONCURRENT_EXPORTS):
        assert "does not answer" in fetch(page).text


class Endless:
    """An export that never ends; counts the pieces that were requested."""

    def __init__(self) -> None:
        self.requested = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.requested += 1
            yield bytes(65_536)


def test_unread_exports_are_limited_and_buffer_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_export, "SEND_TIMEOUT_SECONDS", 0.2)
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
        readers = [asyncio.ensure_future(app(dict(SCOPE), receive, send)) for _ in range(MAX_CONCURRENT_EXPORTS)]
        with anyio.fail_after(10):
            while begun < MAX_CONCURRENT_EXPORTS or endless.requested < MAX_CONCURRENT_EXPORTS:
                await asyncio.sleep(0)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as another:
            assert (await another.get(PATH)).status_code == 429
        assert endless.requested <= 2 * MAX_CONCURRENT_EXPORTS
        with anyio.fail_after(10):
            outcomes = await asyncio.gather(*readers, return_exceptions=True)
        assert all(isinstance(outcome, TimeoutError) for outcome in outcomes), outcomes
        readers = [asyncio.ensure_future(app(dict(SCOPE), receive, send)) for _ in range(MAX_CONCURRENT_EXPORTS)]
        with anyio.fail_after(10):
            while begun < 2 * MAX_CONCURRENT_EXPORTS:
                await asyncio.sleep(0)
        await asyncio.gather(*readers, return_exceptions=True)

    asyncio.run(browse())
