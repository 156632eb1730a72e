"""The export of the gallery, passed on from the service as it comes: the page holds no more of the ZIP file than one piece."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote, urlencode

import anyio
import httpx
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from ui.answers import Refusal

PATH: Final = "/gallery-export"
# Exports that are passed on at a time, to all visitors.
MOST: Final = 4
# A visitor's browser that takes nothing for so long is cut off.
PATIENCE_SECONDS: Final = 10.0
TIMEOUT: Final = httpx.Timeout(15, connect=3)
NAME_LENGTH: Final = 63


def link(model: str | None) -> str:
    """Where a visitor's browser gets the export, of one model or of all, relative to the page."""
    return PATH.lstrip("/") + (f"?{urlencode({'model': model})}" if model else "")


def export_route(address: str, api_key: str | None, transport: httpx.AsyncBaseTransport | None = None) -> Route:
    """The route of the page's server that passes on the export of the service at ``address``."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else None
    exporting = 0

    async def export(request: Request) -> Response:
        nonlocal exporting
        model = request.query_params.get("model", "")[:NAME_LENGTH]
        if exporting >= MOST:
            return PlainTextResponse("Too many exports at a time. Try again when one has ended.\n", 429, {"Retry-After": "10"})
        exporting += 1
        # Without trust_env a proxy configured for the outside world does not get between the page and a local service.
        client = httpx.AsyncClient(base_url=address, headers=headers, timeout=TIMEOUT, transport=transport, trust_env=False)

        async def end() -> None:
            nonlocal exporting
            exporting -= 1
            await client.aclose()

        try:
            asked = client.build_request("GET", "/gallery/export", params={"model": model} if model else None)
            answer = await client.send(asked, stream=True)
            if answer.status_code == 200:
                return Passed(answer, f"gallery-{model}.zip" if model else "gallery.zip", end)
            refusal = PlainTextResponse(f"{reason(await answer.aread())}\n", answer.status_code)
        except httpx.HTTPError:
            refusal = PlainTextResponse("The service does not answer. Try again in a moment.\n", 503)
        except BaseException:
            await end()
            raise
        await end()
        return refusal

    return Route(PATH, export, methods=["GET"])


class Passed(StreamingResponse):
    """The service's answer as the page's, broken off when the service breaks off or when the browser takes nothing any more.

    ``end`` is called when it is over, however that comes about.
    """

    def __init__(self, answer: httpx.Response, name: str, end: Callable[[], Awaitable[None]]) -> None:
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        super().__init__(answer.aiter_bytes(), headers={"Content-Disposition": disposition}, media_type="application/zip")
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(PATIENCE_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        finally:
            with anyio.CancelScope(shield=True):
                await self._end()


def reason(body: bytes) -> str:
    """Why the service refused, in its own words."""
    try:
        return Refusal.model_validate_json(body).detail
    except ValidationError:
        return "The service does not give the export."
