"""The HTTP client of the load tests: encoding, checks of responses, send modes, and the closed and open loop."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from itertools import repeat

import pytest
import uvloop

from loadtests.http_client import ConnectionPool
from loadtests.load import Stats, closed_loop, open_loop
from loadtests.requests import BROKEN, DROPPED, HUNG_UP, Request, Response, SendMode, find_fault, is_problem

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GOOD = Request("good", labels=(b'"label":"7"',))
OVERLOAD = Request("overload", statuses=frozenset((200, 429)), labels=(b'"label":"7"',))
BAD = Request("bad", statuses=frozenset((200, 422, 429, 503)), good=False)


def problem(status: int, headers: dict[bytes, bytes] | None = None, body: bytes | None = None) -> Response:
    """A problem document."""
    document = f'{{"status": {status}, "code": "x"}}'.encode() if body is None else body
    return Response(status, 0.1, document, {b"content-type": b"application/problem+json", **(headers or {})})


def with_service(handle: Handle, use: Callable[[str], Awaitable[None]]) -> None:
    """Call ``use`` with the address of a service that calls ``handle`` for every connection."""

    async def run() -> None:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as service:
            await use(f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}")

    uvloop.run(run())


async def answer_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer 200 to whatever comes until the client disconnects."""
    while await reader.read(1000):
        writer.write(OK)
    writer.close()


def test_request_may_announce_another_length_than_it_has() -> None:
    assert Request("x", "/classify", b"x", "image/png", content_length=9).encode("here").split(b"\r\n") == [
        *(b"POST /classify HTTP/1.1", b"Host: here", b"Content-Type: image/png", b"Content-Length: 9", b"", b"x")
    ]


@pytest.mark.parametrize(
    ("request_", "response", "fault"),
    [
        (BAD, problem(422), ""),
        (BAD, Response(422, 0.1, b"{}"), "422 without a problem document or Retry-After"),
        (BAD, problem(500), "500"),
        (BAD, problem(504), "504"),
        (BAD, problem(503), "503 without a problem document or Retry-After"),
        (BAD, problem(503, {b"retry-after": b"soon"}), "503 without a problem document or Retry-After"),
        (BAD, problem(503, {b"retry-after": b"1"}), ""),
        (BAD, problem(429), "429 without a problem document or Retry-After"),
        (BAD, Response(BROKEN), "no response"),
        (GOOD, problem(422), "422"),
        (OVERLOAD, problem(429, {b"retry-after": b"1"}), ""),
        (OVERLOAD, problem(429), "429 without a problem document or Retry-After"),
        (OVERLOAD, Response(200, 0.1, b'{"version":"1","label":"1"}'), "wrong label"),
        (GOOD, Response(200, 0.1, b'{"version":"1","label":"7","top":[{"label":"1"}]}'), ""),
        (GOOD, Response(200, 0.1, b'{"version":"1","label":"1","top":[{"label":"7"}]}'), "wrong label"),
        (GOOD, Response(200, 0.1, b'[{"version":"1","label":"7"},{"version":"1","label":"7"}]'), "wrong label"),
    ],
)
def test_faults_of_responses_are_found(request_: Request, response: Response, fault: str) -> None:
    assert find_fault(request_, response) == fault


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"status": 422}'])
def test_problem_document_without_status_or_code_is_none(body: bytes) -> None:
    assert not is_problem(problem(422, body=body))


def test_connection_reset_during_a_slow_request_is_no_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.http_client.DRIP_SECONDS", 0.0005)
    slow = Request("slow", statuses=frozenset((408,)), good=False, mode=SendMode.SLOW)
    stats = Stats()

    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)  # for no time: what is sent after the end is answered with a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await asyncio.sleep(0.002)
        writer.transport.abort()

    async def send(address: str) -> None:
        pool = ConnectionPool(address, 1)
        for _ in range(20):
            stats.add(slow, await pool.send(slow))

    with_service(reset, send)
    assert stats.statuses == {BROKEN: 20}


def test_connections_are_reused_and_at_most_as_many_as_allowed() -> None:
    async def send(address: str) -> None:
        pool = ConnectionPool(address, 2)
        found = await asyncio.gather(*(pool.send(GOOD) for _ in range(3)))
        assert sorted(response.status for response in found) == [DROPPED, 200, 200]
        assert (await pool.send(GOOD)).status == 200
        assert pool.open_connections == 2
        own = Request("own", mode=SendMode.OWN_CONNECTION)
        assert (await pool.send(own)).body == b"ok"
        hang_up = Request("aborted", mode=SendMode.HANG_UP)
        assert (await pool.send(hang_up)).status == HUNG_UP
        assert pool.open_connections == 2
        pool.close()

    with_service(answer_ok, send)


def test_missing_response_times_out() -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def send(address: str) -> None:
        assert (await ConnectionPool(address, 1, timeout=0.05).send(GOOD)).status == BROKEN

    with_service(ignore, send)


def test_closed_loop_ends_with_the_requests() -> None:
    async def send(address: str) -> None:
        stats, pool = Stats(), ConnectionPool(address, 2)
        stats.duration = await closed_loop(pool, iter([BAD] * 7), stats.add, clients=2)
        assert stats.statuses == {200: 7}
        assert stats.rate == 7 / stats.duration
        pool.close()

    with_service(answer_ok, send)


def test_open_loop_keeps_its_rate_and_drops_what_is_late() -> None:
    async def send(address: str) -> None:
        stats, late, pool = Stats(), Stats(), ConnectionPool(address, 64)
        await asyncio.gather(*await open_loop(pool, repeat(BAD), stats.add, rate=400, seconds=0.2))
        assert 40 <= stats.sent <= 80
        assert all(seconds > 0 for seconds in stats.seconds())
        await asyncio.gather(*await open_loop(pool, repeat(BAD), late.add, rate=400, seconds=0.2, max_late=-1.0))
        assert late.sent == 0
        assert late.dropped >= 40
        pool.close()

    with_service(answer_ok, send)
