"""Lingering close: after a response to a request whose body has not arrived in full, read on for a while before closing.

Such a response says ``Connection: close``. Closing a socket while the client sends would reset it, and the client would lose
what it has not read yet. So what still arrives is read and discarded for a while, slowly, so that many clients cost little.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.settings import SMALL_BODY

LINGER_SECONDS: Final = 5.0
MAX_LINGERING: Final = 32  # connections of a worker; others are closed at once
PAUSE_SECONDS: Final = 0.005  # times the lingering connections, after each chunk of at most 256 KiB
_LAST: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


class LingeringClose:
    """ASGI middleware that closes the connection after a response to a request whose large body was not read in full."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lingering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_large_body(scope["headers"]):
            await self.app(scope, receive, send)
            return
        complete = closing = False

        async def receive_watched() -> Message:
            nonlocal complete
            message = await receive()
            complete = message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def send_and_linger(message: Message) -> None:
            nonlocal closing
            if message["type"] == "http.response.start" and not complete:
                closing = True
                headers = [header for header in message["headers"] if header[0] != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            if closing and message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await self._discard(receive)
                message = _LAST
            await send(message)

        await self.app(scope, receive_watched, send_and_linger)

    async def _discard(self, receive: Receive) -> None:
        """Read and discard what still arrives, until the body ends or the time is over."""
        if self._lingering >= MAX_LINGERING:
            return
        self._lingering += 1
        loop = asyncio.get_running_loop()
        until = loop.time() + LINGER_SECONDS
        try:
            while (left := until - loop.time()) > 0:
                message = await asyncio.wait_for(receive(), left)
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                await asyncio.sleep(PAUSE_SECONDS * self._lingering)
        except asyncio.TimeoutError:
            return
        finally:
            self._lingering -= 1


def has_large_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request announces more than ``SMALL_BODY`` bytes, or a body without a length."""
    for name, value in headers:
        if name == b"content-length":
            return len(value) > 5 or (value.isdigit() and int(value) > SMALL_BODY)
        if name == b"transfer-encoding":
            return True
    return False
