"""Route of the page's server that streams the gallery's export from the service, without holding the whole ZIP file."""

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

from ui.api.gallery_schemas import GalleryFilter
from ui.api.schemas import ProblemDocument

PATH: Final = "/gallery-export"
# For all visitors together.
MAX_CONCURRENT_EXPORTS: Final = 4
# A browser that accepts no data for so long is disconnected.
SEND_TIMEOUT_SECONDS: Final = 10.0
TIMEOUT: Final = httpx.Timeout(15, connect=3)
# The longest model name and the longest label that the service accepts.
MAX_NAME_LENGTH: Final = 63
MAX_LABEL_LENGTH: Final = 100


def export_url(selection: GalleryFilter) -> str:
    """Return the URL of the export of the selected entries, relative to the page."""
    params = selection.params()
    return PATH.lstrip("/") + (f"?{urlencode(params)}" if params else "")


def selection_of(request: Request) -> GalleryFilter:
    """Return the entries that a request to this route selects; other values than the page sends select all."""
    params = request.query_params
    model, label = params.get("model", "")[:MAX_NAME_LENGTH], params.get("label", "")[:MAX_LABEL_LENGTH]
    corrected = {"true": True, "false": False}.get(params.get("corrected", ""))
    return GalleryFilter(model or None, label or None, corrected)


def export_route(address: str, api_key: str | None, transport: httpx.AsyncBaseTransport | None = None) -> Route:
    """Create the route that streams the export of the service at `address`.

    The route answers 429 while `MAX_CONCURRENT_EXPORTS` exports run, 503 if the service does not answer, and otherwise with the
    status of the service.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else None
    running = 0

    async def export(request: Request) -> Response:
        nonlocal running
        selection = selection_of(request)
        if running >= MAX_CONCURRENT_EXPORTS:
            return PlainTextResponse("Too many exports at once. Try again when one has ended.\n", 429, {"Retry-After": "10"})
        running += 1
        # trust_env=False: a proxy from the environment must not be used for a local service.
        client = httpx.AsyncClient(base_url=address, headers=headers, timeout=TIMEOUT, transport=transport, trust_env=False)

        async def finish() -> None:
            nonlocal running
            running -= 1
            await client.aclose()

        try:
            export_request = client.build_request("GET", "/gallery/export", params=selection.params() or None)
            upstream = await client.send(export_request, stream=True)
            if upstream.status_code == 200:
                return ExportResponse(upstream, f"gallery-{selection.model}.zip" if selection.model else "gallery.zip", finish)
            error = PlainTextResponse(f"{error_detail(await upstream.aread())}\n", upstream.status_code)
        except httpx.HTTPError:
            error = PlainTextResponse("The service does not answer. Try again in a moment.\n", 503)
        except BaseException:
            await finish()
            raise
        await finish()
        return error

    return Route(PATH, export, methods=["GET"])


class ExportResponse(StreamingResponse):
    """Streams the service's response to the browser; ends when either side stops.

    `finish` is always called at the end.
    """

    def __init__(self, upstream: httpx.Response, file_name: str, finish: Callable[[], Awaitable[None]]) -> None:
        disposition = f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"
        super().__init__(upstream.aiter_bytes(), headers={"Content-Disposition": disposition}, media_type="application/zip")
        self._finish = finish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_timeout(message: Message) -> None:
            with anyio.fail_after(SEND_TIMEOUT_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, send_with_timeout)
        finally:
            with anyio.CancelScope(shield=True):
                await self._finish()


def error_detail(body: bytes) -> str:
    """Return the detail of a problem document, or a general sentence for any other body."""
    try:
        return ProblemDocument.model_validate_json(body).detail
    except ValidationError:
        return "The service did not return the export."
