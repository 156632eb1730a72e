"""Large responses, for clients that read slowly or not at all: what they hold is given back in bounded time."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from time import perf_counter
from typing import Final

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

logger = logging.getLogger("bentoml.serving")

# Smaller bodies go out at once: what the server itself buffers of a connection is not less.
PIECE_BYTES: Final = 65_536
# A client may keep the server waiting for so long with one piece, and with all of them for a second more with every so many
# bytes that it took. It has taken what the system buffers of a connection, which may be megabytes, before it read anything.
PATIENCE_SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 65_536


class PacedResponse(StreamingResponse):
    """A response in pieces that breaks off when the client takes them too slowly, so that it holds its memory for a bounded
    time.

    ``on_end`` is called once, whether the response was sent, broke off, was cancelled or failed. ``pieces`` is closed by then.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        on_end: Callable[[], None],
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        status_code: int = 200,
    ) -> None:
        super().__init__(pieces, status_code, headers, media_type)
        self._pieces = pieces
        self._on_end = on_end
        self._taken = 0
        self._waited = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()
            await self._pieces.aclose()

    async def stream_response(self, send: Send) -> None:
        """Send everything, or as much as the client takes in time: then the server ends the connection, since nothing says that
        the response is complete."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            if not await self._sent(send, {"type": "http.response.body", "body": piece, "more_body": True}):
                logger.warning("A client took %d bytes in %.0f s and was cut off.", self._taken, self._waited)
                return
            self._taken += len(piece)
        await self._sent(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, send: Send, message: Message) -> bool:
        """Send a message once the server has room for it; False if the client did not make room in time."""
        begun = perf_counter()
        patience = min(PATIENCE_SECONDS, PATIENCE_SECONDS + self._taken / BYTES_PER_SECOND - self._waited)
        with anyio.move_on_after(patience) as limit:
            await send(message)
        self._waited += perf_counter() - begun
        return not limit.cancelled_caught


async def pieces_of(body: bytes) -> AsyncGenerator[bytes, None]:
    """A body in pieces of ``PIECE_BYTES``."""
    for at in range(0, len(body), PIECE_BYTES):
        yield body[at : at + PIECE_BYTES]
