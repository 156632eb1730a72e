"""serving.http.streaming: what a response holds is given back, however its client reads."""

import asyncio
from collections.abc import AsyncGenerator

import anyio
import pytest
from starlette.types import Message, Scope

from serving.http.streaming import PIECE_BYTES, PacedResponse, pieces_of
from tests.support.waiting import until_in_loop

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.3"}}


class Client:
    """Accepts at most ``most`` pieces, and disconnects when ``gone`` is set."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.messages: list[Message] = []
        self.gone = asyncio.Event()

    async def send(self, message: Message) -> None:
        if len(self.messages) > self.most:
            await asyncio.Event().wait()
        self.messages.append(message)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def complete(self) -> bool:
        return self.messages[-1].get("more_body") is False


class Watched:
    """A response of 100 pieces that knows what became of it."""

    def __init__(self, size: int = PIECE_BYTES) -> None:
        self.ended = 0
        self.closed = False
        self.response = PacedResponse(self._pieces(size), self._end, media_type="application/zip")

    async def _pieces(self, size: int) -> AsyncGenerator[bytes, None]:
        try:
            for _ in range(100):
                yield bytes(size)
        finally:
            self.closed = True

    def _end(self) -> None:
        self.ended += 1

    @property
    def released(self) -> bool:
        return self.closed and self.ended == 1


def test_pieces_join_to_the_body() -> None:
    async def collect(body: bytes) -> list[bytes]:
        return [piece async for piece in pieces_of(body)]

    body = bytes(range(256)) * 1000
    pieces = asyncio.run(collect(body))
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) == PIECE_BYTES


def test_reading_client_gets_the_whole_response() -> None:
    async def serve() -> None:
        client, watched = Client(), Watched()
        await watched.response(SCOPE, client.receive, client.send)
        assert client.complete
        assert len(client.body) == 100 * PIECE_BYTES
        assert watched.released

    asyncio.run(serve())


def test_client_that_reads_nothing_is_disconnected(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("serving.http.streaming.PATIENCE_SECONDS", 0.05)

    async def serve() -> None:
        client, watched = Client(most=3), Watched()
        with anyio.fail_after(10):
            await watched.response(SCOPE, client.receive, client.send)
        assert not client.complete
        assert watched.released

    asyncio.run(serve())
    assert f"{3 * PIECE_BYTES} bytes" in caplog.text


@pytest.mark.parametrize(("rate", "complete"), [(50, False), (5000, True)])
def test_client_that_reads_too_slowly_is_disconnected(rate: int, complete: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the client's: each piece of ten bytes takes a hundredth of a second, a thousand bytes a second."""
    monkeypatch.setattr("serving.http.streaming.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("serving.http.streaming.BYTES_PER_SECOND", 1000 * 1000 / rate)
    now = [0.0]
    monkeypatch.setattr("serving.http.streaming.perf_counter", lambda: now[0])

    async def serve() -> None:
        client, watched = Client(), Watched(size=10)

        async def slow(message: Message) -> None:
            await client.send(message)
            now[0] += 0.01
            await asyncio.sleep(0)

        await watched.response(SCOPE, client.receive, slow)
        assert client.complete is complete
        assert watched.released

    asyncio.run(serve())


def test_disconnected_client_releases_the_response() -> None:
    async def serve() -> None:
        client, watched = Client(most=3), Watched()
        task = asyncio.ensure_future(watched.response(SCOPE, client.receive, client.send))
        await until_in_loop(lambda: len(client.messages) == 4)
        assert not watched.ended
        client.gone.set()
        with anyio.fail_after(10):
            await task
        assert watched.released

    asyncio.run(serve())


def test_cancelled_or_failed_response_releases_its_memory() -> None:
    async def serve() -> None:
        client, watched = Client(most=3), Watched()
        task = asyncio.ensure_future(watched.response(SCOPE, client.receive, client.send))
        await until_in_loop(lambda: len(client.messages) == 4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert watched.released

        async def fail(_: Message) -> None:
            raise OSError("the connection is lost")

        watched = Watched()
        with pytest.raises(OSError, match="lost"):
            await watched.response(SCOPE, client.receive, fail)
        assert watched.ended == 1

    asyncio.run(serve())
