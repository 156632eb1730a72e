"""Asynchronous HTTP/1.1 client for load tests: prepared requests over a pool of raw connections.

It costs less CPU than a general client, so that the service is what is busy, and can send requests that no proper client sends:
incomplete, byte by byte, or without waiting for the response.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from enum import Enum
from time import perf_counter
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
from httptools import HttpResponseParser

FORM_TYPE: Final = "multipart/form-data; boundary=loadtest-form-boundary"
# The label of an image in a response, with the version of the model; those in `top` have none.
LABEL: Final = re.compile(rb'"version":"[^"]*","label":"[^"]*"')
SUCCESS: Final = frozenset((200, 201, 204))
# In place of a status: no response, no free connection, and a response that was not waited for.
BROKEN, DROPPED, HUNG_UP = 0, -1, -2
TIMEOUT_SECONDS: Final = 30.0
# A service closes idle connections after a few seconds; one that may be about to close is not used again.
IDLE_SECONDS: Final = 1.0
DRIP_SECONDS: Final = 1.0

Options = dict[str, str] | None


class SendMode(Enum):
    """How a request is sent."""

    KEEP_ALIVE = "over a pooled connection"
    OWN_CONNECTION = "over a new connection that is closed after the response"
    HANG_UP = "over a new connection that is closed without waiting for the response"
    SLOW = "over a new connection, then one byte a second until the response"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, how it is sent, and what a correct response is.

    ``content_length`` announces another length than that of the body. ``good`` is false for requests that are expected to be
    refused. ``labels`` has what each of the response's ``labels()`` must end with, None if any will do.
    """

    name: str
    target: str = "/classify"
    body: bytes = b""
    content_type: str = ""
    method: str = "POST"
    content_length: int | None = None
    statuses: frozenset[int] = frozenset((200,))
    good: bool = True
    mode: SendMode = SendMode.KEEP_ALIVE
    labels: tuple[bytes, ...] | None = None

    def encode(self, host: str) -> bytes:
        """Encode the request for a host."""
        head = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}"]
        if self.content_type:
            head.append(f"Content-Type: {self.content_type}")
        if self.method == "POST":
            head.append(f"Content-Length: {len(self.body) if self.content_length is None else self.content_length}")
        return "\r\n".join([*head, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Response:
    """A response: its status, ``BROKEN`` if there was none, the seconds since the request was sent, headers by their names in
    lower case, and the body."""

    status: int
    seconds: float = 0.0
    body: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)


def encode_form(images: list[bytes], field: str = "image", options: Options = None) -> bytes:
    """Encode a body of type ``FORM_TYPE``: every image as a file in ``field``, then the options as text fields."""
    files = [(field, ("picture.png", data, "image/png")) for data in images]
    texts = [(name, (None, value.encode())) for name, value in (options or {}).items()]
    return httpx.Request("POST", "http://localhost", headers={"Content-Type": FORM_TYPE}, files=[*files, *texts]).read()


def form_request(
    name: str, images: list[bytes], target: str = "/classify", field: str = "image", options: Options = None, **expected: Any
) -> Request:
    """Make a request that posts images as a form; ``expected`` are fields of ``Request``."""
    return Request(name, target, encode_form(images, field, options), FORM_TYPE, **expected)


def labels(body: bytes) -> tuple[bytes, ...]:
    """The versions and labels in a response, as JSON, one for each image."""
    return tuple(LABEL.findall(body))


def is_problem(response: Response) -> bool:
    """Whether a response is a problem document that names a code, and has a Retry-After if its status is 429 or 503."""
    if not response.headers.get(b"content-type", b"").startswith(b"application/problem+json"):
        return False
    try:
        document = json.loads(response.body)
        status, code = document["status"], document["code"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(code) and (status not in (429, 503) or response.headers.get(b"retry-after", b"").isdigit())


def find_fault(request: Request, response: Response) -> str:
    """What is wrong with a response: its status, its problem document or its labels; an empty text if nothing is."""
    if response.status not in request.statuses:
        return "no response" if response.status == BROKEN else f"{response.status}"
    if response.status not in SUCCESS:
        return "" if is_problem(response) else f"{response.status} without a problem document or Retry-After"
    if request.labels is not None:
        found = labels(response.body)
        if len(found) != len(request.labels) or not all(map(bytes.endswith, found, request.labels)):
            return "wrong label"
    return ""


class Connection(asyncio.Protocol):
    """One connection; sends one request at a time. httptools parses the response and calls the methods ``on_...``."""

    def __init__(self) -> None:
        self.open = False
        self.last_used = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None

    def write(self, content: bytes) -> None:
        """Send bytes, unless the connection is closed."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(content)

    async def send(self, content: bytes) -> Response:
        """Send a request and wait for the response."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._parser, self._headers, self._body = HttpResponseParser(self), dict[bytes, bytes](), bytearray()
        self._sent = perf_counter()
        if self.open:
            self.write(content)
        else:
            self._finish(BROKEN)
        return await self._waiting

    def close(self) -> None:
        """Close the connection once what was written has been sent."""
        self.open = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.open = cast(asyncio.Transport, transport), True  # uvloop's does not inherit from asyncio's

    def data_received(self, data: bytes) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        self._finish(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.open = False
        self._finish(BROKEN)

    def _finish(self, status: int) -> None:
        if self._waiting is not None and not self._waiting.done():
            self.last_used = perf_counter()
            self._waiting.set_result(Response(status, self.last_used - self._sent, bytes(self._body), self._headers))


class ConnectionPool:
    """At most ``size`` connections to one service, opened when needed; a response is waited for ``timeout`` seconds."""

    def __init__(self, address: str, size: int, timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(address)
        self.address, self.host = address, parts.netloc
        self.endpoint = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._free_slots, self._timeout = size, timeout
        self._idle: list[Connection] = []
        self._connections: set[Connection] = set()

    @property
    def open_connections(self) -> int:
        """Number of open connections."""
        self._connections = {connection for connection in self._connections if connection.open}
        return len(self._connections)

    async def send(self, request: Request) -> Response:
        """Send a request and wait for the response; ``DROPPED`` at once if all connections are busy."""
        if not self._free_slots:
            return Response(DROPPED)
        self._free_slots -= 1
        try:
            connection = await self._connect(reuse=request.mode is SendMode.KEEP_ALIVE)
            timer = asyncio.get_running_loop().call_later(self._timeout, connection.close)
            response = await self._exchange(connection, request)
            timer.cancel()
        except (OSError, asyncio.TimeoutError) as error:
            return Response(BROKEN, 0.0, repr(error).encode())
        finally:
            self._free_slots += 1
        if connection.open:
            self._idle.append(connection)
        return response

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()

    async def _connect(self, reuse: bool) -> Connection:
        while reuse and self._idle:
            connection = self._idle.pop()
            if connection.open and perf_counter() - connection.last_used < IDLE_SECONDS:
                return connection
            connection.close()
        opening = asyncio.get_running_loop().create_connection(Connection, *self.endpoint)
        connection = (await asyncio.wait_for(opening, self._timeout))[1]
        self._connections.add(connection)
        return connection

    async def _exchange(self, connection: Connection, request: Request) -> Response:
        content = request.encode(self.host)
        if request.mode is SendMode.KEEP_ALIVE:
            return await connection.send(content)
        try:
            if request.mode is SendMode.HANG_UP:
                connection.write(content)
                return Response(HUNG_UP)
            response = asyncio.ensure_future(connection.send(content))
            while request.mode is SendMode.SLOW and not (await asyncio.wait([response], timeout=DRIP_SECONDS))[0]:
                connection.write(b"\0")
            return await response
        finally:
            connection.close()
