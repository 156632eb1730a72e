"""Requests as the HTTP server hands them on, made by hand: their headers, and their bodies in pieces."""

import asyncio
from collections.abc import Iterable
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.types import Message

from serving.backpressure.body_budget import BodyBudget
from serving.http.uploads import Upload, UploadReader
from serving.settings import Settings


def request(
    content_type: str, pieces: Iterable[bytes], size: int | None = None, query: str = "", *, ends: bool = True
) -> Request:
    """A POST whose body comes in ``pieces``; ``size`` is what it announces, None for chunks. One that does not end stalls."""
    headers = [(b"content-type", content_type.encode())]
    headers.append((b"transfer-encoding", b"chunked") if size is None else (b"content-length", b"%d" % size))
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if ends:
        messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        await asyncio.sleep(0)
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "path": "/classify", "query_string": query.encode(), "headers": headers}
    return Request(scope, receive)


def whole(content_type: str, body: bytes, query: str = "") -> Request:
    """A POST whose body comes at once."""
    return request(content_type, [body], len(body), query)


def multipart(files: list[tuple[str, bytes]], data: dict[str, str] | None = None) -> Request:
    """A form with files and text fields."""
    made = httpx.Request("POST", "http://host/", files=[(name, ("f.png", body)) for name, body in files], data=data)
    return whole(made.headers["content-type"], made.read())


def text_form(**fields: str) -> Request:
    """A multipart form of text fields alone, as ``curl -F name=value`` sends it."""
    made = httpx.Request("POST", "http://host/", files={name: (None, value) for name, value in fields.items()})
    return whole(made.headers["content-type"], made.read())


def urlencoded(**fields: str) -> Request:
    """A urlencoded form as a browser sends it."""
    return whole("application/x-www-form-urlencoded", urlencode(fields).encode())


def reader(**settings: int | float) -> UploadReader:
    """What reads uploads, with a budget of its own."""
    chosen = Settings(**settings)  # type: ignore[arg-type]
    return UploadReader(chosen, BodyBudget.shared(chosen.max_body_bytes_in_flight, None, 0, 1))


def image(made: Request, **settings: int) -> Upload:
    """What is read of a request with one image."""
    return asyncio.run(_read(made, "image", settings))


def batch(made: Request, **settings: int) -> Upload:
    """What is read of a request with many images."""
    return asyncio.run(_read(made, "batch", settings))


async def _read(made: Request, route: str, settings: dict[str, int]) -> Upload:
    uploads = reader(**settings)
    return await (uploads.image(made) if route == "image" else uploads.batch(made))
