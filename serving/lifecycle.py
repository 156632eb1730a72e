"""The end of a worker: first it says that it is not ready, then it takes no more, then it ends, and answers what it took."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from serving.workers import is_orphan

# From the last connection to the end of reading requests.
LAST_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 1.0


class Lifecycle:
    """What a worker knows about its own end.

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
        """Put a handler before uvicorn's. To be called in the event loop's thread, once uvicorn has set its own."""
        loop, end = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def begin(_number: int, _frame: FrameType | None) -> None:
            signal.signal(signal.SIGTERM, end)  # a second one is in a hurry
            loop.call_soon_threadsafe(self._begin, loop, end)

        signal.signal(signal.SIGTERM, begin)
        end_with_parent()

    def farewell(self, send: Send) -> Send:
        """``send``, with ``Connection: close`` in the answer while draining."""
        if not self.draining:
            return send

        async def close(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        return close

    def _begin(self, loop: asyncio.AbstractEventLoop, end: object) -> None:
        self.draining = True
        loop.call_later(self._seconds, self._end, end)

    def _end(self, end: object) -> None:
        for listener in getattr(getattr(end, "__self__", None), "servers", ()):  # uvicorn's, whose method the handler is
            listener.close()
        self._give_up()
        if callable(end):
            asyncio.get_running_loop().call_later(LAST_SECONDS, end, signal.SIGTERM, None)


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
