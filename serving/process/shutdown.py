"""Shuts an API worker down on SIGTERM: not ready, then no new connections, then exit once all requests are answered."""

import asyncio
import signal
from collections.abc import Callable
from typing import Final, Protocol

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from serving.process.workers import is_orphan

# From the end of accepting connections to the end of reading requests.
LAST_READ_SECONDS: Final = 0.25
PARENT_CHECK_SECONDS: Final = 1.0


class ServerExit(Protocol):
    """Ends the HTTP server of this process in two steps."""

    def close_listeners(self) -> None:
        """Accept no more connections."""

    def exit(self) -> None:
        """Exit once the requests that were received are answered."""


class Shutdown:
    """The shutdown sequence of an API worker.

    ``begin`` sets ``draining``: for ``seconds`` the worker still answers everything, but ``/readyz`` answers 503 and answers
    close their connections, so that clients connect to another. Then it accepts no more connections, and ``abort_uploads`` is
    called, so that bodies which have not arrived do not delay the exit. A moment later, when requests on connections that were
    accepted in time have been read, the server exits.
    """

    def __init__(self, seconds: float, abort_uploads: Callable[[], None]) -> None:
        self.draining = False
        self._seconds = seconds
        self._abort_uploads = abort_uploads

    def begin(self, server: ServerExit) -> None:
        """Begin the sequence; called in the event loop."""
        self.draining = True
        asyncio.get_running_loop().call_later(self._seconds, self._stop_accepting, server)

    def close_connections(self, send: Send) -> Send:
        """``send``, with ``Connection: close`` in the answer while draining."""
        return closing(send) if self.draining else send

    def _stop_accepting(self, server: ServerExit) -> None:
        server.close_listeners()
        self._abort_uploads()
        asyncio.get_running_loop().call_later(LAST_READ_SECONDS, server.exit)


def closing(send: Send) -> Send:
    """``send``, with ``Connection: close`` in the answer."""

    async def close(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["connection"] = "close"
        await send(message)

    return close


def exit_with_parent() -> None:
    """Raise SIGTERM in this process when its parent has ended: an orphan would keep the port from the next service."""
    loop = asyncio.get_running_loop()

    def check() -> None:
        if is_orphan():
            signal.raise_signal(signal.SIGTERM)
        else:
            loop.call_later(PARENT_CHECK_SECONDS, check)

    check()
