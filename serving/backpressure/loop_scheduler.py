"""Turns of the event loop: however many requests there are, it looks for new ones, and refuses them, every few milliseconds."""

import asyncio
from collections import deque
from time import perf_counter
from typing import Final

# Longer turns share more calls of the model. A worker accepts one connection in a turn (libuv since 1.46), so that shorter ones
# let a crowd in sooner.
TURN_SECONDS: Final = 0.012
HURRIED_SECONDS: Final = 0.006
# For so long after somebody was refused who had not been before.
HURRY_SECONDS: Final = 1.0
MOST_REFUSED: Final = 4096
# Pieces of work in a turn: at first about what fits for small pictures, and never more than.
FIRST: Final = 8
MOST: Final = 256


class Turns:
    """Lets so much work begin in one turn of the event loop that the turn lasts about ``seconds``, or ``hurried`` for a while
    after ``hurry``; the rest waits in line."""

    def __init__(self, seconds: float = TURN_SECONDS, hurried: float = HURRIED_SECONDS) -> None:
        self._seconds = seconds
        self._hurried = hurried
        self._hurried_until = 0.0
        self._refused: set[object] = set()
        self._room = FIRST
        self._begun = 0
        self._since = 0.0
        self._turning = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def wait(self) -> None:
        """Return when it is the caller's turn: at once where there is room."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # nothing of a loop that ended is waited for
            self._loop, self._turning = loop, False
            self._waiting.clear()
        if not self._turning:
            self._turning, self._begun, self._since = True, 0, perf_counter()
            loop.call_soon(self._turn)
        if self._begun < self._room and not self._waiting:
            self._begun += 1
            return
        future = loop.create_future()
        self._waiting.append(future)
        await future

    def hurry(self, client: object) -> None:
        """This client was refused: if it just came, others may wait to be let in."""
        if client in self._refused:
            return
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused.add(client)
        self._hurried_until = perf_counter() + HURRY_SECONDS

    def _turn(self) -> None:
        """The next turn begins; how long the last one took says how much fits."""
        now = perf_counter()
        took, self._since = now - self._since, now
        seconds = self._hurried if now < self._hurried_until else self._seconds
        if took > seconds:
            self._room = max(1, int(self._begun * seconds / took))
        elif self._begun == self._room:
            self._room = min(MOST, self._room + 1)
        self._begun = 0
        while self._waiting and self._begun < self._room:
            future = self._waiting.popleft()
            if not future.done():  # cancelled meanwhile
                future.set_result(None)
                self._begun += 1
        if self._begun:
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._turning = False
