"""Health check of the runner service: asks it continuously, and fails calls to a runner that does not answer.

The runner's socket belongs to the parent process: a call to a runner that was killed is accepted there, and hangs until another
runner has started.
"""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

from serving.process.request_context import CURRENT, NO_REQUEST

logger = logging.getLogger("bentoml.serving")

T = TypeVar("T")
V = TypeVar("V")
INTERVAL_SECONDS: Final = 0.25
TIMEOUT_SECONDS: Final = 1.0
# A runner under load may miss one check; after a call that failed, one missed check is enough.
MISSES: Final = 2


class RunnerGone(Exception):
    """The runner service does not answer."""


class RunnerHealth(Generic[T]):
    """Calls ``check`` again and again; ``last_response`` is its last answer, None while the runner is down."""

    def __init__(self, check: Callable[[], Awaitable[T]]) -> None:
        self.last_response: T | None = None
        self._check = check
        self._calls: set[asyncio.Future[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._check_now = asyncio.Event()
        self._answered = asyncio.Event()
        self._wait_until = 0.0

    async def is_up(self) -> bool:
        """Whether the runner answered the last checks; before its first answer, wait for one for ``TIMEOUT_SECONDS``."""
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._wait_until = loop.time() + TIMEOUT_SECONDS
            self._task = loop.create_task(self._poll())
        if not self._answered.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._answered.wait(), self._wait_until - loop.time())
        return self.last_response is not None

    async def guard(self, call: Awaitable[V]) -> V:
        """Await a call to the runner; cancel it when the runner goes down.

        Raises:
            RunnerGone: the runner went down meanwhile.
        """
        future = asyncio.ensure_future(call)
        self._calls.add(future)
        try:
            return await future
        except asyncio.CancelledError:
            if self.last_response is None and future.cancelled():
                raise RunnerGone("The runner service does not answer.") from None
            future.cancel()
            raise
        except Exception:
            self._check_now.set()
            raise
        finally:
            self._calls.discard(future)

    def stop(self) -> None:
        """End the checks."""
        if self._task is not None:
            self._task.cancel()

    async def _poll(self) -> None:
        CURRENT.set(NO_REQUEST)  # the checks began with the request that came first
        missed = 0
        while True:
            try:
                self.last_response = await asyncio.wait_for(self._check(), TIMEOUT_SECONDS)
                self._answered.set()
                missed = 0
            except Exception as error:  # aiohttp's, BentoML's, the system's
                missed += 0 if _socket_removed(error) else 1
                if self.last_response is not None and missed >= (1 if self._check_now.is_set() else MISSES):
                    self._mark_down(error)
            self._check_now.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._check_now.wait(), INTERVAL_SECONDS)

    def _mark_down(self, error: Exception) -> None:
        logger.warning("The runner service does not answer: %r", error)
        self.last_response = None
        for call in list(self._calls):
            call.cancel()


def _socket_removed(error: Exception) -> bool:
    """Whether the socket is gone: the parent removes it first when the whole service ends, and running calls still finish."""
    return isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ECONNREFUSED)
