"""Connections that post one prepared request and read its answer: cheaper than an HTTP client, so that the service is what is
busy."""

import asyncio
import json
from dataclasses import dataclass
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

STATUS: Final = slice(9, 12)
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "
BROKEN: Final = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, ``BROKEN`` where there is none, the seconds since its request was sent, and all its bytes."""

    status: int
    seconds: float
    content: bytes


def wire(host: str, method: str, target: str, body: bytes = b"", kind: str = "", announced: int | None = None) -> bytes:
    """An HTTP/1.1 request as it goes over the wire; it announces the length of its body, or another."""
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if kind:
        head.append(f"Content-Type: {kind}")
    if method == "POST":
        head.append(f"Content-Length: {len(body) if announced is None else announced}")
    return "\r\n".join([*head, "", ""]).encode() + body


def is_problem(content: bytes) -> bool:
    """Whether an answer is a whole problem document that, where it matters, says when to try again."""
    head, _, body = content.partition(HEAD_END)
    head = head.lower()
    if b"content-type: application/problem+json" not in head:
        return False
    try:
        document = json.loads(body)
        status, code = document["status"], document["code"]
    except (ValueError, KeyError, TypeError):
        return False
    wait = head.partition(b"\r\nretry-after: ")[2].partition(b"\r\n")[0]
    return bool(code) and (status not in (429, 503) or wait.isdigit())


class Line(asyncio.Protocol):
    """One connection, which carries one request at a time."""

    def __init__(self) -> None:
        self.open = False
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._received = bytearray()
        self._sent = 0.0

    async def ask(self, content: bytes) -> Answer:
        """Send a request and wait for its answer."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._received.clear()
        self._sent = perf_counter()
        self._transport.write(content)
        return await self._waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.open = cast(asyncio.Transport, transport), True  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower() + b"\r\n"
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) : head.index(b"\r\n", at)]) if at >= 0 else 0
        if len(self._received) >= end + len(HEAD_END) + length:
            if b"\r\nconnection: close" in head:
                self.close()
            self._tell(int(self._received[STATUS]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.open = False
        self._tell(BROKEN)

    def close(self) -> None:
        """Hang up."""
        self.open = False
        if self._transport is not None:
            self._transport.close()

    def _tell(self, status: int) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(status, perf_counter() - self._sent, bytes(self._received)))


class Lines:
    """Connections to one service, at most ``most``, opened as they are needed."""

    def __init__(self, address: str, content: bytes, most: int) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._content = content
        self._room = most
        self._free: list[Line] = []

    async def ask(self) -> Answer | None:
        """Send the request over a free line; None while all are busy."""
        if self._room == 0:
            return None
        self._room -= 1
        try:
            line = await self._line()
            answer = await line.ask(self._content)
        except OSError as error:
            return Answer(BROKEN, 0.0, repr(error).encode())
        finally:
            self._room += 1
        if line.open:
            self._free.append(line)
        return answer

    def close(self) -> None:
        """Hang up everywhere."""
        for line in self._free:
            line.close()

    async def _line(self) -> Line:
        while self._free:
            line = self._free.pop()
            if line.open:
                return line
        _, line = await asyncio.get_running_loop().create_connection(Line, self._host, self._port)
        return line
