"""Whether the runner service is alive, asked all the time, so that nobody waits for one that is gone.

Its socket belongs to the parent process: a call to a runner that was killed is accepted there and hangs until another runner
has started.
"""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

logger = logging.getLogger("bentoml.serving")

T = TypeVar("T")
V = TypeVar("V")
INTERVAL_SECONDS: Final = 0.25
# A runner under load may miss one beat; a call that broke off makes it one beat that counts.
PATIENCE_SECONDS: Final = 1.0
MISSES: Final = 2


class RunnerGone(Exception):
    """The runner service does not answer."""


class Heartbeat(Generic[T]):
    """Asks ``beat`` again and again; ``told`` is its last answer, None while the runner is not there."""

    def __init__(self, beat: Callable[[], Awaitable[T]]) -> None:
        self.told: T | None = None
        self._beat = beat
        self._calls: set[asyncio.Future[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._met = asyncio.Event()
        self._patient_until = 0.0

    async def alive(self) -> bool:
        """Whether the runner answered lately; at first it is waited for, for as long as a beat may take."""
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._patient_until = loop.time() + PATIENCE_SECONDS
            self._task = loop.create_task(self._listen())
        if not self._met.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._met.wait(), self._patient_until - loop.time())
        return self.told is not None

    async def guard(self, call: Awaitable[V]) -> V:
        """Await a call to the runner, but no longer than it is alive.

        Raises:
            RunnerGone: it went away meanwhile.
        """
        future = asyncio.ensure_future(call)
        self._calls.add(future)
        try:
            return await future
        except asyncio.CancelledError:
            if self.told is None and future.cancelled():
                raise RunnerGone("The runner service is gone.") from None
            future.cancel()
            raise
        except Exception:
            self._hurry.set()
            raise
        finally:
            self._calls.discard(future)

    async def _listen(self) -> None:
        missed = 0
        while True:
            try:
                self.told = await asyncio.wait_for(self._beat(), PATIENCE_SECONDS)
                self._met.set()
                missed = 0
            except Exception as error:  # aiohttp's, BentoML's, the system's
                missed += 0 if _ending(error) else 1
                if self.told is not None and missed >= (1 if self._hurry.is_set() else MISSES):
                    self._mourn(error)
            self._hurry.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), INTERVAL_SECONDS)

    def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()

    def _mourn(self, error: Exception) -> None:
        logger.warning("The runner service does not answer: %r", error)
        self.told = None
        for call in list(self._calls):
            call.cancel()


def _ending(error: Exception) -> bool:
    """Whether the socket itself is gone, which the parent takes away first when all of the service ends."""
    return isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ECONNREFUSED)
