"""Limits the bytes of request bodies that all workers hold in memory: counted before they are read, until they are freed.

A quarter of the budget is reserved for bodies of at most ``SMALL_BODY`` bytes, such as drawings: they are always accepted, and
when too many are still arriving, the oldest are aborted. Larger bodies share three quarters, and those larger than
``LARGE_BODY`` at most half, so that stalled batches do not block photos.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from serving.errors import Problem
from serving.process.heap import HeapTrimmer
from serving.process.shared_counters import SharedCounters
from serving.process.workers import worker_slots
from serving.settings import CONNECTION_BUFFER, SMALL_BODY, largest_body

FILE: Final = "body_bytes.counts"
LARGE_BODY: Final = 16_777_216
# Bodies without a Content-Length are counted in steps, since each count reads the counters of all workers.
STEP: Final = 1_048_576
FULL: Final = "The service holds as many bytes of requests as it may. Try again in a moment."


class Body(bytearray):
    """The bytes of a large body; they are counted until this object is freed, in whatever thread."""

    __slots__ = ("_budget", "_charged", "_loop")

    def __init__(self, budget: "BodyBudget") -> None:
        super().__init__()
        self._budget = budget
        self._charged = 0
        self._loop = asyncio.get_running_loop()

    @property
    def reserved(self) -> int:
        """How many bytes are counted for it."""
        return self._charged - CONNECTION_BUFFER

    def reserve(self, size: int) -> None:
        """Count at least ``size`` bytes.

        Raises:
            Problem: ``overloaded``.
        """
        if not self.try_reserve(size):
            raise Problem("overloaded", FULL)

    def try_reserve(self, size: int) -> bool:
        """Count at least ``size`` bytes if the budget allows it; returns whether it does."""
        more = size + CONNECTION_BUFFER - self._charged
        if more <= 0:
            return True
        if not self._budget.charge(more, size):
            return False
        self._charged += more
        return True

    def __del__(self) -> None:
        if self._charged:
            with suppress(RuntimeError):  # the loop is closed, and the count no longer matters
                self._loop.call_soon_threadsafe(self._budget.release, self._charged)


class BodyBudget:
    """At most ``limit`` bytes of request bodies, counted over all workers."""

    def __init__(self, limit: int, held: SharedCounters, workers: int) -> None:
        self._limit = limit
        self._held = held
        self._heap = HeapTrimmer(lambda: self._held.own)
        self.max_small = max(16, limit // 4 // SMALL_BODY // workers)

    @classmethod
    def shared(
        cls, limit: int, folder: Path | None, worker: int, workers: int, living: Collection[int] | None = None
    ) -> "BodyBudget":
        """A budget shared with the workers that use the same folder, or of this worker alone without one. What was counted by
        workers whose slot is not among the ``living`` is reset."""
        slots = worker_slots(workers)
        held = SharedCounters.shared(folder / FILE if folder else None, slots, worker % slots, living)
        return cls(limit, held, workers)

    @property
    def held(self) -> int:
        """Bytes counted for the large bodies of all workers."""
        return self._held.total

    @property
    def largest(self) -> int:
        """The size of the largest body that fits."""
        return largest_body(self._limit)

    def allocate(self, size: int) -> Body:
        """An empty body that may grow to ``size`` bytes.

        Raises:
            Problem: ``overloaded``.
        """
        body = Body(self)
        body.reserve(size)
        return body

    def charge(self, more: int, size: int) -> bool:
        """Count ``more`` bytes for a body of ``size`` bytes in all if they fit; returns whether they do."""
        limit = self._limit // 2 if size > LARGE_BODY else self._limit * 3 // 4
        self._held.add(more)
        if self._held.total > limit:
            self._held.add(-more)
            return False
        return True

    def release(self, size: int) -> None:
        """Stop counting ``size`` bytes."""
        self._held.add(-size)
        self._heap.freed(size)
