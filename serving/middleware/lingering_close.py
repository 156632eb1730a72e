"""Closes connections whose request was answered before its body had arrived, so that the client still sees the answer.

Such an answer says ``Connection: close``. A socket that is closed while the client sends would be reset, which takes from the
client what it has not read yet. What still comes is therefore read and dropped for a while, slowly, so that a crowd of such
clients costs little.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.settings import SMALL_BODY

LINGER_SECONDS: Final = 5.0
MAX_LINGERING: Final = 16  # connections of a worker; those beyond are closed at once
PAUSE_SECONDS: Final = 0.001  # for each of them, after every piece of at most a quarter of a megabyte
_LAST: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


class LingeringClose:
    """Ends the connection after an answer to a request whose large body was not read in full."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lingering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_large_body(scope["headers"]):
            await self.app(scope, receive, send)
            return
        complete = closing = False

        async def watch() -> Message:
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
                await self._drop(receive)
                message = _LAST
            await send(message)

        await self.app(scope, watch, send_and_linger)

    async def _drop(self, receive: Receive) -> None:
        """Read what still comes, and let go of it, until the body or the patience ends."""
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
