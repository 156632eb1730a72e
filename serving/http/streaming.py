"""Streams large responses, and disconnects clients that read too slowly, so that memory is released in bounded time."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from time import perf_counter
from typing import Final

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

logger = logging.getLogger("bentoml.serving")

# Smaller bodies are sent at once: the server buffers as much for a connection anyway.
PIECE_BYTES: Final = 65_536
# A client may block the server for so long with one piece, and in all for a second more with each so many bytes that it took.
# What the system buffers of a connection, which may be megabytes, counts as taken before the client read anything.
PATIENCE_SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 65_536


class PacedResponse(StreamingResponse):
    """A response in pieces that is aborted when the client takes them too slowly, so that it holds its memory for a bounded
    time.

    ``on_end`` is called once, whether the response was sent, aborted, cancelled or failed; then ``pieces`` is closed.
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
        """Send all pieces, or as many as the client takes in time; then the server closes the connection, since the response is
        incomplete."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            if not await self._sent(send, {"type": "http.response.body", "body": piece, "more_body": True}):
                logger.warning("A client read %d bytes in %.0f s and was disconnected.", self._taken, self._waited)
                return
            self._taken += len(piece)
        await self._sent(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, send: Send, message: Message) -> bool:
        """Send a message once the server has buffer space for it; False if the client did not read in time."""
        begun = perf_counter()
        patience = min(PATIENCE_SECONDS, PATIENCE_SECONDS + self._taken / BYTES_PER_SECOND - self._waited)
        with anyio.move_on_after(patience) as limit:
            await send(message)
        self._waited += perf_counter() - begun
        return not limit.cancelled_caught


async def pieces_of(body: bytes) -> AsyncGenerator[bytes, None]:
    """The pieces of a body, ``PIECE_BYTES`` each."""
    for at in range(0, len(body), PIECE_BYTES):
        yield body[at : at + PIECE_BYTES]
