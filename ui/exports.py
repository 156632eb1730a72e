"""Hands the gallery's export on from the service to a browser, piece by piece: the page never holds more than a piece of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qs, urlencode

import httpx
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.client import TIMEOUT

PATH: Final = "/gallery-export"
# So many visitors are served at a time; an export keeps the service busy.
AT_ONCE: Final = 2
# A browser that takes nothing for so long is given up.
WRITE_SECONDS: Final = 30.0


def link(model: str | None) -> str:
    """Where the page has the export of one model's pictures, or of all."""
    return f".{PATH}?{urlencode({'model': model})}" if model else f".{PATH}"


class Exports:
    """Answers `GET /gallery-export?model=NAME` with the service's export, which is asked with the page's key."""

    def __init__(
        self, app: ASGIApp, address: str, api_key: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.app = app
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._transport = transport
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
        elif scope["method"] != "GET":
            await PlainTextResponse("The export takes GET.\n", 405, {"Allow": "GET"})(scope, receive, send)
        elif self._running >= AT_ONCE:
            wrong = "Others are exporting just now. Try again in a minute.\n"
            await PlainTextResponse(wrong, 429, {"Retry-After": "60"})(scope, receive, send)
        else:
            self._running += 1
            try:
                await self._export(scope, receive, send)
            finally:
                self._running -= 1

    async def _export(self, scope: Scope, receive: Receive, send: Send) -> None:
        model = parse_qs(scope["query_string"].decode("latin-1")).get("model", [""])[0]
        params = {"model": model} if model else {}
        begun = False

        async def send_in_time(message: Message) -> None:
            nonlocal begun
            begun = True
            await asyncio.wait_for(send(message), WRITE_SECONDS)

        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT, transport=self._transport, trust_env=False) as client,
                client.stream("GET", f"{self._address}/gallery/export", params=params, headers=self._headers) as export,
            ):
                if export.status_code != 200:
                    wrong = f"The service gave no export ({export.status_code}).\n"
                    await PlainTextResponse(wrong, 503, {"Retry-After": "10"})(scope, receive, send)
                    return
                name = f"gallery-{model}.zip" if model.replace("-", "").isalnum() and model.isascii() else "gallery.zip"
                headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
                await StreamingResponse(_pieces(export), 200, headers, "application/zip")(scope, receive, send_in_time)
        except (httpx.HTTPError, ClientDisconnect, asyncio.TimeoutError):
            if not begun:  # what is cut off in the middle, the server ends without its last piece, so that browsers notice
                wrong = "The service does not answer. Try again later.\n"
                await PlainTextResponse(wrong, 503, {"Retry-After": "10"})(scope, receive, send)


async def _pieces(export: httpx.Response) -> AsyncIterator[bytes]:
    async for piece in export.aiter_bytes():
        yield piece
