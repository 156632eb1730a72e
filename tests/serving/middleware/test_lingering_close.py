"""Answers to requests whose bodies have not arrived: seen by the client, and the connection ends soon."""

import asyncio

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from serving.middleware import lingering_close
from serving.middleware.lingering_close import MAX_LINGERING, LingeringClose, has_large_body
from serving.settings import SMALL_BODY

LARGE = [(b"content-length", b"5000000")]
PIECE: Message = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
LAST: Message = {"type": "http.request", "body": b"", "more_body": False}


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(b"no", 413)(scope, receive, send)


async def read_and_answer(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await Response(b"yes")(scope, receive, send)


class Connection:
    """What a client sends and gets; one that sends no last piece stalls."""

    def __init__(self, headers: list[tuple[bytes, bytes]], *messages: Message) -> None:
        self.scope = {"type": "http", "method": "POST", "headers": headers}
        self.messages = list(messages)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def answered(self) -> bool:
        """Whether the whole body of the answer is on its way."""
        return any(message.get("body") for message in self.sent)

    @property
    def ended(self) -> bool:
        return self.sent[-1]["type"] == "http.response.body" and not self.sent[-1].get("more_body", False)

    @property
    def closes(self) -> bool:
        return (b"connection", b"close") in self.sent[0]["headers"]


def test_remaining_body_is_discarded_before_the_connection_closes() -> None:
    one = Connection(LARGE, *[PIECE] * 9, LAST)
    asyncio.run(LingeringClose(refuse)(one.scope, one.receive, one.send))
    assert one.answered and one.ended and one.closes
    assert [message.get("more_body") for message in one.sent] == [None, True, False]
    assert one.messages == []


@pytest.mark.parametrize("headers", [LARGE, [(b"transfer-encoding", b"chunked")]])
def test_fully_read_body_keeps_the_connection_open(headers: list[tuple[bytes, bytes]]) -> None:
    one = Connection(headers, PIECE, LAST)
    asyncio.run(LingeringClose(read_and_answer)(one.scope, one.receive, one.send))
    assert len(one.sent) == 2 and one.ended and not one.closes


def test_lingering_ends_for_a_stalled_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering_close, "LINGER_SECONDS", 0.02)
    for messages in ([PIECE], [], [PIECE] * 100_000, [{"type": "http.disconnect"}]):
        one = Connection(LARGE, *messages)
        asyncio.run(LingeringClose(refuse)(one.scope, one.receive, one.send))
        assert one.answered and one.ended and one.closes


def test_connections_over_the_lingering_limit_are_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering_close, "LINGER_SECONDS", 0.2)

    async def main() -> None:
        close = LingeringClose(refuse)
        crowd = [Connection(LARGE, PIECE) for _ in range(MAX_LINGERING + 9)]
        tasks = [asyncio.create_task(close(one.scope, one.receive, one.send)) for one in crowd]
        await asyncio.sleep(0)
        assert [one.ended for one in crowd] == [False] * MAX_LINGERING + [True] * 9
        assert all(one.answered for one in crowd)
        await asyncio.gather(*tasks)
        assert all(one.ended for one in crowd)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"content-length", b"%d" % SMALL_BODY)], False),
        ([(b"content-length", b"%d" % (SMALL_BODY + 1))], True),
        ([(b"content-length", b"999999999")], True),
        ([(b"host", b"x"), (b"transfer-encoding", b"chunked")], True),
        ([(b"host", b"x")], False),
    ],
)
def test_large_bodies_are_detected_from_headers(headers: list[tuple[bytes, bytes]], expected: bool) -> None:
    assert has_large_body(headers) is expected
