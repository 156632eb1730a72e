"""The end of a worker on SIGTERM: first it says that it is not ready, then it takes no more, then it ends, and answers what it
took."""

import asyncio
import logging
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from serving.bento.compat import running_server
from serving.process.workers import is_orphan

logger = logging.getLogger("bentoml.serving")

# From the last connection to the end of reading requests.
LAST_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 1.0


class Exit:
    """How to end the server of this process, whatever handled SIGTERM in it before."""

    def __init__(self, server: uvicorn.Server, handler: object) -> None:
        self._server = server
        self._handler = handler

    def close_listeners(self) -> None:
        """Accept no more connections."""
        for listener in getattr(self._server, "servers", ()):  # none before it has started
            listener.close()

    def exit(self) -> None:
        """Begin uvicorn's own shutdown, which answers the requests that were taken."""
        self._server.should_exit = True
        if callable(self._handler):  # uvicorn's notes the signal, and the process then ends by it
            self._handler(signal.SIGTERM, None)


def on_sigterm(begin: Callable[[Exit], None]) -> None:
    """Call ``begin`` in the event loop at the first SIGTERM, in the place of what handled it; the second one ends the server at
    once. To be called in the event loop's thread once uvicorn has set its own handler."""
    end_with_parent()
    server = running_server()
    if server is None:
        logger.error("The server of this process is not known: on SIGTERM it ends without draining.")
        return
    loop, end = asyncio.get_running_loop(), Exit(server, signal.getsignal(signal.SIGTERM))

    def hurry(_number: int, _frame: FrameType | None) -> None:
        end.exit()

    def handle(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, hurry)
        loop.call_soon_threadsafe(begin, end)

    signal.signal(signal.SIGTERM, handle)


class Shutdown:
    """The shutdown of an API worker.

    On SIGTERM it is ``draining``: for ``seconds`` it still answers everything, but tells load balancers it is not ready and
    clients to connect anew, which then find another. Next it accepts no more connections; ``give_up`` is told, so that bodies
    which have not arrived do not hold the worker. A moment later, when connections that were accepted in time have been read,
    uvicorn's own shutdown begins.
    """

    def __init__(self, seconds: float, give_up: Callable[[], None]) -> None:
        self.draining = False
        self._seconds = seconds
        self._give_up = give_up

    def listen(self) -> None:
        """Begin at the first SIGTERM from now on; as ``on_sigterm``."""
        on_sigterm(self._begin)

    def close_connections(self, send: Send) -> Send:
        """``send``, with ``Connection: close`` in the answer while draining."""
        if not self.draining:
            return send

        async def close(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        return close

    def _begin(self, end: Exit) -> None:
        self.draining = True
        asyncio.get_running_loop().call_later(self._seconds, self._take_no_more, end)

    def _take_no_more(self, end: Exit) -> None:
        end.close_listeners()
        self._give_up()
        asyncio.get_running_loop().call_later(LAST_SECONDS, end.exit)


def end_with_parent() -> None:
    """Have this process told to end when its parent is gone, even before this: an orphan would keep the port from those who
    come after."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if is_orphan():
            signal.raise_signal(signal.SIGTERM)
        else:
            loop.call_later(LOOK_SECONDS, look)

    look()
