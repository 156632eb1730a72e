"""Asynchronous HTTP/1.1 client for load tests: prepared requests over a pool of raw connections.

It costs less CPU than a general client, so that the service is what is busy, and can send requests that no proper client sends:
incomplete, byte by byte, or without waiting for the response.
"""

import asyncio
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

from httptools import HttpResponseParser

from loadtests.requests import BROKEN, DROPPED, HUNG_UP, Request, Response, SendMode

TIMEOUT_SECONDS: Final = 30.0
# A service closes idle connections after a few seconds; one that may be about to close is not used again.
IDLE_SECONDS: Final = 1.0
DRIP_SECONDS: Final = 1.0


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
