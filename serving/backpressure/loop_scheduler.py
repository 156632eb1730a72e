"""Caps the work of one event-loop iteration, so that new connections are accepted, or refused, every few milliseconds."""

import asyncio
from collections import deque
from time import perf_counter
from typing import Final

# Longer iterations share more calls of the model. A worker accepts one connection in an iteration (libuv since 1.46), so that
# shorter ones accept many connections sooner.
ITERATION_SECONDS: Final = 0.012
TIGHT_SECONDS: Final = 0.006
# How long iterations stay short after a client was refused for the first time.
TIGHTEN_SECONDS: Final = 1.0
MAX_REFUSED_CLIENTS: Final = 4096
# Work items in an iteration: at first about what fits for small pictures, and the most there may ever be.
INITIAL_ITEMS: Final = 8
MAX_ITEMS: Final = 256


class LoopScheduler:
    """Starts as many work items in one event-loop iteration as take about ``seconds``; the others wait in order.

    For a while after ``tighten`` an iteration takes about ``tight_seconds``.
    """

    def __init__(self, seconds: float = ITERATION_SECONDS, tight_seconds: float = TIGHT_SECONDS) -> None:
        self._seconds = seconds
        self._tight_seconds = tight_seconds
        self._tight_until = 0.0
        self._refused: set[object] = set()
        self._capacity = INITIAL_ITEMS
        self._started = 0
        self._since = 0.0
        self._running = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def acquire(self) -> None:
        """Return when a work item may start: at once while the iteration has capacity."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # forget the waiters of a loop that ended
            self._loop, self._running = loop, False
            self._waiting.clear()
        if not self._running:
            self._running, self._started, self._since = True, 0, perf_counter()
            loop.call_soon(self._next_iteration)
        if self._started < self._capacity and not self._waiting:
            self._started += 1
            return
        future = loop.create_future()
        self._waiting.append(future)
        await future

    def tighten(self, client: object) -> None:
        """Shorten iterations for a while because ``client`` was refused for the first time: more may be waiting."""
        if client in self._refused:
            return
        if len(self._refused) >= MAX_REFUSED_CLIENTS:
            self._refused.clear()
        self._refused.add(client)
        self._tight_until = perf_counter() + TIGHTEN_SECONDS

    def _next_iteration(self) -> None:
        """Adapt the capacity to how long the last iteration took, and start what waits."""
        now = perf_counter()
        took, self._since = now - self._since, now
        seconds = self._tight_seconds if now < self._tight_until else self._seconds
        if took > seconds:
            self._capacity = max(1, int(self._started * seconds / took))
        elif self._started == self._capacity:
            self._capacity = min(MAX_ITEMS, self._capacity + 1)
        self._started = 0
        while self._waiting and self._started < self._capacity:
            future = self._waiting.popleft()
            if not future.done():  # not cancelled meanwhile
                future.set_result(None)
                self._started += 1
        if self._started:
            asyncio.get_running_loop().call_soon(self._next_iteration)
        else:
            self._running = False


LOOP_SCHEDULER: Final = LoopScheduler()
"""The scheduler of this process, which has one event loop."""
