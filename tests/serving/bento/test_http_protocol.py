"""Limits of the HTTP protocol, on a bare server over loopback."""

import asyncio
import gc
import socket
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import uvloop
from starlette.types import Receive, Scope, Send

from serving.bento import connections, http_protocol
from serving.bento.connections import ConnectionTable
from serving.bento.http_protocol import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED
from tests.serving.bento.server import GET, Client, Recorder, serve
from tests.support.waiting import until_in_loop

Run = Callable[[Coroutine[Any, Any, None]], None]
HEAD = b"POST /first HTTP/1.1\r\nHost: here\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Both event loops have transports of their own."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def shorten_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the timeouts every 10 ms instead of every second."""
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.01)


def heads(size: int) -> bytes:
    """A head of so many bytes, as they are counted: address, names, values, and four more for each header."""
    rest = size - len("/first") - len("Host: here\r\n") - len("X: \r\n")
    return b"GET /first HTTP/1.1\r\nHost: here\r\nX: " + b"y" * rest + b"\r\n\r\n"


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([heads(MAX_HEAD_BYTES + 1)], id="one byte too many"),
        pytest.param(pieces(heads(100_000), 1000), id="a long header in small pieces"),
        pytest.param(pieces(heads(500_000), 65_536), id="a very long header"),
        pytest.param([b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n"], id="a long address"),
        pytest.param(
            [HEAD, *[b"X-%d: y\r\n" % number for number in range(MAX_HEADERS + 1)]], id="too many headers that do not end"
        ),
        pytest.param([HEAD + b"a:\r\n" * MAX_HEADERS + b"\r\n"], id="one header too many"),
        pytest.param([CHUNKED + b"1\r\nx\r\n0\r\n", *[b"X: " + b"y" * 30_000 + b"\r\n"] * 3], id="long trailers"),
        pytest.param([CHUNKED + b"1\r\nx\r\n0\r\n" + b"a:\r\n" * MAX_HEADERS], id="many trailers"),
        pytest.param([CHUNKED + b"1;x=", *[b"y" * 20_000] * 3], id="a long chunk extension"),
    ],
)
def test_large_heads_are_answered_431_and_not_kept(run: Run, content: list[bytes]) -> None:
    async def scenario() -> None:
        app = Recorder()
        async with serve(app) as server:
            client = await server.connect()
            await client.send(*content)
            assert await client.problem() == (431, "headers_too_large")

    run(scenario())


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        pytest.param([heads(MAX_HEAD_BYTES)], b"/first 0", id="a head of the largest size"),
        pytest.param(pieces(heads(MAX_HEAD_BYTES), 1000), b"/first 0", id="in pieces"),
        pytest.param([HEAD + b"a:\r\n" * (MAX_HEADERS - 1) + b"\r\n"], b"/first 0", id="as many headers as there may be"),
        pytest.param([HEAD + b"Content-Length: 2000000\r\n\r\n" + bytes(2_000_000)], b"/first 2000000", id="a large body"),
        pytest.param([CHUNKED + b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n"], b"/first 60000", id="more chunk lines than body"),
        pytest.param([CHUNKED + b"1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n"], b"/first 1", id="a trailer and an extension"),
        pytest.param(
            [heads(MAX_HEAD_BYTES - 100)[:-2] + b"Content-Length: 30000\r\n\r\n" + bytes(30_000)],
            b"/first 30000",
            id="a large head and a body in one piece",
        ),
    ],
)
def test_headers_within_the_limits_are_read(run: Run, content: list[bytes], answer: bytes) -> None:
    async def scenario() -> None:
        async with serve(Recorder()) as server:
            client = await server.connect()
            for _ in range(3):  # on one connection: nothing is left over from one request to the next
                await client.send(*content)
                status, headers, body = await client.answer()
                assert (status, body) == (200, answer)
                assert "connection" not in headers

    run(scenario())


def test_client_that_keeps_sending_is_disconnected(run: Run) -> None:
    async def scenario() -> None:
        async with serve(Recorder()) as server:
            loop = asyncio.get_running_loop()
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.setblocking(False)
                with pytest.raises(ConnectionError):
                    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nX: " + b"y" * (1 << 26))
            await until_in_loop(lambda: not server.state.connections)

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_heads_that_do_not_end_are_answered_408(run: Run) -> None:
    async def scenario() -> None:
        async with serve(Recorder()) as server:
            client = await server.connect()
            await client.send(b"GET /first HTTP/1.1\r\nHo")
            assert await client.problem() == (408, "slow_headers")
            again = await server.connect()
            await again.send(GET)
            assert (await again.answer())[0] == 200
            await again.send(b"GET /second HTTP/1.1\r\n")
            assert await again.problem() == (408, "slow_headers")

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_slowly_sent_headers_do_not_extend_the_timeout(run: Run) -> None:
    async def scenario() -> None:
        async with serve(Recorder()) as server:
            client = await server.connect()

            async def dribble() -> None:
                await client.send(b"GET /first HTTP/1.1\r\nX: ")
                while True:
                    await client.send(b"y")
                    await asyncio.sleep(0.001)

            dribbling = asyncio.create_task(dribble())
            assert (await client.answer())[0] == 408
            dribbling.cancel()
            with suppress(asyncio.CancelledError):
                await dribbling

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_silent_connections_are_closed(run: Run) -> None:
    async def scenario() -> None:
        async with serve(Recorder(), timeout_keep_alive=3600) as server:
            silent = await server.connect()
            assert await silent.rest() == b""
            idle = await server.connect()
            await idle.send(GET)
            assert (await idle.answer())[0] == 200
            await idle.send(b"\r\n")  # ends uvicorn's own time limit for idle connections, and begins no request
            assert b" 408 " in await idle.rest()

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_idle_connections_are_closed_by_the_keep_alive_timeout(run: Run) -> None:
    async def scenario() -> None:
        async with serve(Recorder(), timeout_keep_alive=3600) as server:
            client, other = await server.connect(), await server.connect()
            await client.send(GET)
            assert (await client.answer())[0] == 200
            assert await other.rest() == b""  # after as long as a head may take
            await client.send(GET)
            assert (await client.answer())[0] == 200

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_unread_body_does_not_block_the_connection(run: Run) -> None:
    async def scenario() -> None:
        async with serve(Recorder()) as server:
            client = await server.connect()
            await client.send(b"POST /unread HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n")
            assert (await client.answer())[0] == 200

            async def dribble() -> None:
                while True:
                    await client.send(b"y")
                    await asyncio.sleep(0.001)

            dribbling = asyncio.create_task(dribble())
            assert await client.rest() == b""
            dribbling.cancel()
            with suppress(asyncio.CancelledError):
                await dribbling

    run(scenario())


def test_pipelined_requests_are_answered_in_order_and_limited(run: Run) -> None:
    async def scenario() -> None:
        app = Recorder()
        async with serve(app) as server:
            client = await server.connect()
            await client.send(
                b"".join(b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % number for number in range(MAX_PIPELINED + 1))
            )
            for number in range(MAX_PIPELINED + 1):
                assert (await client.answer())[2] == b"/%d 0" % number
            await client.send(GET)
            assert (await client.answer())[0] == 200

            app.paths.clear()
            await client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % number for number in range(2000)))
            assert (await client.rest()).count(b"HTTP/1.1 200") == MAX_PIPELINED + 1
            assert app.paths == [f"/{number}" for number in range(MAX_PIPELINED + 1)]

    run(scenario())


@pytest.mark.parametrize("behind", [b"NO HTTP\r\n\r\n", heads(100_000)])
def test_garbage_after_a_request_does_not_affect_its_response(run: Run, behind: bytes) -> None:
    async def scenario() -> None:
        app = Recorder()
        app.ready.clear()
        async with serve(app) as server:
            client = await server.connect()
            await client.send(GET + behind)
            await until_in_loop(lambda: app.paths)
            app.ready.set()
            status, headers, body = await client.answer()
            assert (status, body, headers["connection"]) == (200, b"/first 0", "close")
            assert await client.rest() == b""

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_a_broken_body_ends_its_request(run: Run) -> None:
    async def scenario() -> None:
        app = Recorder()
        async with serve(app) as server:
            client = await server.connect()
            await client.send(CHUNKED + b"zz\r\n")
            assert await client.problem() == (400, "bad_request")
            await asyncio.wait_for(app.disconnected.wait(), 5)
            await until_in_loop(lambda: not server.state.connections)

            behind = await server.connect()
            app.ready.clear()
            await behind.send(GET + CHUNKED + b"zz\r\n")
            assert await behind.rest() == b""
            app.ready.set()
            await until_in_loop(lambda: not server.state.tasks)

    run(scenario())


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_protocol_upgrades_are_ignored(run: Run, protocol: bytes) -> None:
    async def scenario() -> None:
        async with serve(Recorder()) as server:
            client = await server.connect()
            upgrade = (
                b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
            )
            await client.send(GET[:-2] + upgrade + b"\r\n" + b"\x81\x05hello" * 10)
            status, headers, body = await client.answer()
            assert (status, body, headers["connection"]) == (200, b"/first 0", "close")
            assert await client.rest() == b""

    run(scenario())


@pytest.mark.parametrize("size", [1, 60, 10_000], ids=["bytes", "pieces", "at once"])
@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"],
    ids=["length", "chunks"],
)
def test_body_is_read_where_another_protocol_is_offered(run: Run, body: bytes, size: int) -> None:
    """As Java's HttpClient offers it with every request."""

    async def scenario() -> None:
        recorder = Recorder()
        async with serve(recorder) as server:
            client = await server.connect()
            offer = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n" + body
            await client.send(*pieces(offer + CHUNKED + b"1\r\nx\r\n0\r\n\r\n" + offer + GET, size))
            for expected in (b"/first 5", b"/first 1", b"/first 5", b"/first 0"):
                assert (await client.answer())[2] == expected
        assert len(recorder.paths) == 4

    run(scenario())


def test_offers_of_another_protocol_have_the_same_limits(run: Run) -> None:
    offer = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"

    async def scenario() -> None:
        recorder = Recorder()
        recorder.ready.clear()
        async with serve(recorder) as server:
            client = await server.connect()
            await client.send(HEAD + offer + b"X: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n")
            assert await client.problem() == (431, "headers_too_large")
            client = await server.connect()
            await client.send((GET[:-2] + offer + b"\r\n") * (MAX_PIPELINED + 2))
            recorder.ready.set()
            assert len((await client.rest()).split(b"/first 0")) <= MAX_PIPELINED + 2
        assert len(recorder.paths) <= MAX_PIPELINED + 1

    run(scenario())


class Large:
    """Something an answer holds."""


class Endless:
    """An app whose answer never ends."""

    def __init__(self) -> None:
        self.held: weakref.ref[Large] | None = None
        self.sent = 0
        self.over = False

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        large = Large()
        self.held = weakref.ref(large)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.create_task(self._gone(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": bytes(1 << 18), "more_body": True})
            self.sent += 1
            await asyncio.sleep(0)
        self.over = True

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


@pytest.mark.usefixtures("shorten_timeouts")
def test_response_that_is_not_read_is_aborted_and_freed(run: Run) -> None:
    async def scenario() -> None:
        app = Endless()
        async with serve(app) as server:
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(GET)
                await until_in_loop(lambda: app.over)
            await until_in_loop(lambda: not server.state.connections and not server.state.tasks)
            await until_in_loop(lambda: gc.collect() >= 0 and app.held is not None and app.held() is None)

    run(scenario())


@pytest.mark.usefixtures("shorten_timeouts")
def test_complete_response_that_is_not_read_is_aborted(run: Run) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % (1 << 25))]})
        await send({"type": "http.response.body", "body": bytes(1 << 25)})

    async def scenario() -> None:
        async with serve(app, timeout_keep_alive=0) as server:
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(GET)
                await until_in_loop(lambda: server.state.total_requests)
                await until_in_loop(lambda: not server.state.connections)

    run(scenario())


def test_response_that_is_read_slowly_is_sent_in_full(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(http_protocol, "WRITE_SECONDS", 10)
    app = Endless()

    async def scenario() -> None:
        async with serve(app) as server:
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_sendall(client, GET)
                end = loop.time() + 0.05 * 10 * 1.5
                while loop.time() < end:
                    for _ in range(16):
                        assert await loop.sock_recv(client, 65_536)
                    await asyncio.sleep(0.2)
            await until_in_loop(lambda: app.over)

    run(scenario())


async def opened(server: Any, count: int, content: bytes) -> list[Client]:
    """So many connections that each sent this."""
    clients = [await server.connect() for _ in range(count)]
    for client in clients:
        await client.send(content)
    await until_in_loop(lambda: len(server.state.connections) >= count)
    return clients


def test_oldest_silent_connection_is_closed_for_a_new_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectionTable, "limit", 8)

    async def scenario() -> None:
        async with serve(Recorder(), timeout_keep_alive=3600) as server:
            (idle,) = await opened(server, 1, GET)
            assert (await idle.answer())[0] == 200
            half = await opened(server, 7, b"GET /first HTTP/1.1\r\nHo")
            new = await server.connect()
            await new.send(GET)
            assert (await new.answer())[0] == 200
            assert await half[0].rest() == b""
            for client in (*half[1:], idle):
                await client.send(b"st: here\r\n\r\n" if client is not idle else GET)
                assert (await client.answer())[0] == 200
            # All have asked now: the oldest that is between two requests makes room.
            await opened(server, 1, GET)
            assert await idle.rest() == b""

    run(scenario())


def test_incomplete_headers_do_not_block_new_connections(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectionTable, "limit", 16)

    async def scenario() -> None:
        async with serve(Recorder()) as server:
            for _ in range(10):
                for half in [await server.connect() for _ in range(20)]:
                    await half.send(b"GET /first HTTP/1.1\r\nHo")
                client = await server.connect()
                await client.send(GET)
                assert (await client.answer())[0] == 200
                await until_in_loop(lambda: len(server.state.connections) <= 16)

    run(scenario())


def test_busy_connections_are_kept_and_new_ones_get_503(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectionTable, "limit", 4)

    async def scenario() -> None:
        app = Recorder()
        app.ready.clear()
        async with serve(app) as server:
            busy = await opened(server, 4, GET)
            await until_in_loop(lambda: len(app.paths) == 4)
            new = await server.connect()
            status, headers, _ = await new.answer()
            assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
            assert await new.rest() == b""
            app.ready.set()
            for client in busy:
                assert (await client.answer())[0] == 200

    run(scenario())
