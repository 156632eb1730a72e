"""Requests in waves: on every connection one at the same moment, cheaper for the sender than any HTTP client, so that the
service is what is busy."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CONNECTIONS = 32


@dataclass(frozen=True)
class Answer:
    """Status and JSON body of a response."""

    status_code: int
    body: Any

    def json(self) -> Any:
        return self.body


async def post_all(address: str, images: list[bytes], path: str = "/classify") -> list[Answer]:
    """Post every image as a body, ``CONNECTIONS`` at a time; the answers in order."""
    connections = [_Connection(address) for _ in range(min(CONNECTIONS, len(images)))]
    answers: list[Answer] = []
    try:
        for start in range(0, len(images), CONNECTIONS):
            wave = list(zip(connections, images[start : start + CONNECTIONS], strict=False))
            await asyncio.gather(*(connection.send(path, data) for connection, data in wave))
            answers += await asyncio.gather(*(connection.receive() for connection, _ in wave))
    finally:
        for connection in connections:
            connection.close()
    return answers


class _Connection:
    """One keep-alive connection, opened again when the service closed it."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, path: str, data: bytes) -> None:
        if self._streams is None:
            host, _, port = self._host.partition(":")
            self._streams = await asyncio.open_connection(host, int(port))
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(data)}\r\n\r\n"
        self._streams[1].write(head.encode() + data)

    async def receive(self) -> Answer:
        assert self._streams is not None
        head = (await self._streams[0].readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line.partition(":")[2]) for line in head.split("\r\n") if line.startswith("content-length:"))
        body = await self._streams[0].readexactly(length)
        if "connection: close" in head:
            self.close()
        return Answer(int(head.split()[1]), json.loads(body))

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
