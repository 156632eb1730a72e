"""A bare uvicorn server with the service's protocol, and what is said to it byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from serving.bento.http_protocol import LimitedProtocol
from tests.support.waiting import until_in_loop

PATIENCE_SECONDS: Final = 20.0
GET: Final = b"GET /first HTTP/1.1\r\nHost: here\r\n\r\n"


class Recorder:
    """An app that answers each request with its path and the size of its body, as soon as ``ready`` is set."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()
        self.paths: list[str] = []
        self.disconnected = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        size, more = 0, scope["path"] != "/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected.set()
                return
            size, more = size + len(message["body"]), message["more_body"]
        await self.ready.wait()
        body = f"{scope['path']} {size}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Send the pieces one after the other; a server that has closed the connection ends it."""
        with suppress(ConnectionError):
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
                await asyncio.sleep(0)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body of the next answer."""
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await asyncio.wait_for(self._reader.readexactly(int(headers["content-length"])), PATIENCE_SECONDS)
        return int(status.split()[1]), headers, body

    async def problem(self) -> tuple[int, str]:
        """The status and code of the next answer, which is a problem document after which the connection is closed."""
        status, headers, body = await self.answer()
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert headers["x-content-type-options"] == "nosniff"
        assert await self.rest() == b""
        return status, json.loads(body)["code"]

    async def rest(self) -> bytes:
        """All that comes until the connection is closed."""
        received = b""
        with suppress(ConnectionError):
            while piece := await asyncio.wait_for(self._reader.read(65_536), PATIENCE_SECONDS):
                received += piece
        return received

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Server:
    """A server in this event loop, without uvicorn's signals and ticks."""

    def __init__(self, port: int, state: ServerState) -> None:
        self.port = port
        self.state = state
        self._clients: list[Client] = []

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        await until_in_loop(lambda: not self.state.connections and not self.state.tasks)


@asynccontextmanager
async def serve(app: ASGIApp, **options: Any) -> AsyncIterator[Server]:
    """A server for the app until the block ends."""
    loop, state = asyncio.get_running_loop(), ServerState()
    config = uvicorn.Config(app, http=LimitedProtocol, lifespan="off", log_config=None, **options)
    config.load()
    listener = await loop.create_server(lambda: LimitedProtocol(config, state, {}, loop), "127.0.0.1", 0, backlog=512)
    server = Server(int(listener.sockets[0].getsockname()[1]), state)
    try:
        yield server
        await server.close()
    finally:
        listener.close()
        for connection in list(state.connections):
            connection.transport.abort()
