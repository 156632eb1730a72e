"""The uvicorn server of this process: finds it, and lets a function decide when SIGTERM ends it.

Patch: ``uvicorn.Server.startup``. Reason: BentoML creates the server and keeps it in a local variable, but an orderly shutdown
needs its listeners and its ``should_exit``, whatever handles signals. Upstream issue: none known of BentoML; uvicorn/pull/218
(closed) wanted the same server. Can go when BentoML hands the server to start-up hooks, or calls a hook on SIGTERM.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn

from serving.bento.http_protocol import LimitedProtocol
from serving.process.shutdown import exit_with_parent

logger = logging.getLogger("bentoml.serving")

_running: Final[list[uvicorn.Server]] = []


def record_server() -> None:
    """Have every uvicorn server that starts in this process be found by ``running_server``."""
    startup = uvicorn.Server.startup

    async def recorded(self: uvicorn.Server, sockets: Any = None) -> None:
        if self.config.http_protocol_class is not LimitedProtocol:
            logger.error(
                "uvicorn serves %s: the limits on headers and connections do not hold.", self.config.http_protocol_class
            )
        _running[:] = [self]
        await startup(self, sockets=sockets)

    uvicorn.Server.startup = recorded  # type: ignore[method-assign]


def running_server() -> uvicorn.Server | None:
    """The server of this process, from before its start-up hooks run."""
    return _running[0] if _running else None


class UvicornExit:
    """Ends the uvicorn server of this process in two steps (a ``serving.process.shutdown.ServerExit``)."""

    def __init__(self, server: uvicorn.Server, handler: object) -> None:
        self._server = server
        self._handler = handler

    def close_listeners(self) -> None:
        """Accept no more connections."""
        for listener in getattr(self._server, "servers", ()):  # none before it has started
            listener.close()

    def exit(self) -> None:
        """Begin uvicorn's own shutdown, which answers the requests that were received."""
        self._server.should_exit = True
        if callable(self._handler):  # uvicorn's notes the signal, and the process then ends by it
            self._handler(signal.SIGTERM, None)


def on_sigterm(begin: Callable[[UvicornExit], None]) -> None:
    """Call ``begin`` in the event loop at the first SIGTERM, in place of the old handler; a second one ends the server at once.

    Call it in the event loop's thread once uvicorn has set its own handler. The end of the parent process counts as SIGTERM.
    """
    exit_with_parent()
    server = running_server()
    if server is None:
        logger.error("The server of this process is not known: on SIGTERM it ends without draining.")
        return
    loop, server_exit = asyncio.get_running_loop(), UvicornExit(server, signal.getsignal(signal.SIGTERM))

    def exit_at_once(_number: int, _frame: FrameType | None) -> None:
        server_exit.exit()

    def handle(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, exit_at_once)
        loop.call_soon_threadsafe(begin, server_exit)

    signal.signal(signal.SIGTERM, handle)
