"""How many bytes of request bodies a service holds, all its workers together: counted before and while they arrive, until they
are freed.

A quarter of the budget is left to bodies of at most ``SMALL_BODY`` bytes, which drawings have: they are always let in, and when
too many of them are still arriving, those that have been longest on their way are given up. Larger ones share three quarters,
and those larger than ``LARGE_BODY`` may fill no more than half, so that stalled batches keep no photo out.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from serving.errors import Problem
from serving.process.shared_counters import SharedCounters
from serving.process.workers import worker_slots
from serving.settings import CONNECTION_BUFFER, SMALL_BODY, largest_body

FILE: Final = "body_bytes.counts"
LARGE_BODY: Final = 16_777_216
# Bodies without an announced length are counted in steps, since a count of all workers is read for each.
STEP: Final = 1_048_576


class Body(bytearray):
    """The bytes of a large body, which are counted until they are freed, in whatever thread and by whoever held them last."""

    __slots__ = ("_budget", "_charged", "_loop")

    def __init__(self, budget: "BodyBudget") -> None:
        super().__init__()
        self._budget = budget
        self._charged = 0
        self._loop = asyncio.get_running_loop()

    @property
    def room(self) -> int:
        """How many bytes are counted for it."""
        return self._charged - CONNECTION_BUFFER

    def reserve(self, size: int) -> None:
        """Count at least ``size`` bytes.

        Raises:
            Problem: ``overloaded``.
        """
        if size + CONNECTION_BUFFER > self._charged:
            self._charged += self._budget.charge(size + CONNECTION_BUFFER - self._charged, size)

    def __del__(self) -> None:
        if self._charged:
            with suppress(RuntimeError):  # a loop that is closed counts no more
                self._loop.call_soon_threadsafe(self._budget.give_back, self._charged)


class BodyBudget:
    """At most ``limit`` bytes of bodies, with those of the other workers."""

    def __init__(self, limit: int, held: SharedCounters, workers: int) -> None:
        self._limit = limit
        self._held = held
        self.max_small = max(16, limit // 4 // SMALL_BODY // workers)

    @classmethod
    def shared(
        cls, limit: int, folder: Path | None, worker: int, workers: int, living: Collection[int] | None = None
    ) -> "BodyBudget":
        """A budget shared with the workers that name the same folder; without one this worker has it for itself. What workers
        whose slot is not among the ``living`` left is forgotten."""
        slots = worker_slots(workers)
        held = SharedCounters.shared(folder / FILE if folder else None, slots, worker % slots, living)
        return cls(limit, held, workers)

    @property
    def held(self) -> int:
        """Bytes that are counted for the large bodies of all workers."""
        return self._held.total

    @property
    def largest(self) -> int:
        """The size of the largest body that could ever be let in."""
        return largest_body(self._limit)

    def hold(self, size: int) -> Body:
        """An empty body with room for ``size`` bytes.

        Raises:
            Problem: ``overloaded``.
        """
        body = Body(self)
        body.reserve(size)
        return body

    def charge(self, more: int, size: int) -> int:
        """Count ``more`` bytes for a body of ``size`` bytes so far; gives how many are counted.

        Raises:
            Problem: ``overloaded``.
        """
        share = self._limit // 2 if size > LARGE_BODY else self._limit * 3 // 4
        self._held.add(more)
        if self._held.total > share:
            self._held.add(-more)
            raise Problem("overloaded", "The service holds as many bytes of requests as it may. Try again in a moment.")
        return more

    def give_back(self, size: int) -> None:
        """Count these bytes no more."""
        self._held.add(-size)
