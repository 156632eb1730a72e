"""How many images a service works on at a time, all its workers together; more are refused at once, so that none wait long."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from serving.errors import Problem
from serving.process.shared_counters import SharedCounters
from serving.process.workers import worker_slots

FILE: Final = "work.counts"
REASON: Final = "The service works on as many images as it may. Try again in a moment."
# A portion of a batch is a quarter of what its worker may work on, and two portions are worked on at a time.
PORTIONS_EACH: Final = 4
PORTIONS_AT_A_TIME: Final = 2
MAX_WAITING_BATCHES: Final = 16
POLL_SECONDS: Final = 0.01


class Admission:
    """The images that this service works on, at most ``limit``.

    A batch is worked on in portions of ``portion`` images. The batches of one worker hold at most two portions at a time, half
    of the worker's part of the limit, so that the other half is left to single images.
    """

    def __init__(self, limit: int, images: SharedCounters, workers: int = 1) -> None:
        self._limit = limit
        self._images = images
        self.portion = max(1, limit // workers // PORTIONS_EACH)
        self._portions = asyncio.Semaphore(PORTIONS_AT_A_TIME)
        self._waiting = 0

    @classmethod
    def shared(
        cls, limit: int, folder: Path | None, worker: int, workers: int, living: Collection[int] | None = None
    ) -> "Admission":
        """A limit shared with the workers that name the same folder; without one this worker counts for itself. What workers
        whose slot is not among the ``living`` left is forgotten."""
        slots = worker_slots(workers)
        images = SharedCounters.shared(folder / FILE if folder else None, slots, worker % slots, living)
        return cls(limit, images, workers)

    @property
    def working(self) -> int:
        """Images that all workers work on now."""
        return self._images.total

    @property
    def full(self) -> bool:
        """Whether no more would be let in."""
        return self.working >= self._limit

    @contextmanager
    def work(self, images: int) -> Iterator[None]:
        """Count ``images`` as worked on until the block ends; what is let in last may pass the limit.

        Raises:
            Problem: ``overloaded``.
        """
        if self.full:
            raise Problem("overloaded", REASON)
        self._images.add(images)
        try:
            yield
        finally:
            self._images.add(-images)

    @asynccontextmanager
    async def work_on_portion(self, images: int, until: float, *, first: bool) -> AsyncIterator[None]:
        """Count a portion of a batch as worked on until the block ends, when it is its turn among the batches of this worker.

        The first portion of a batch is refused like a single image where there is no room; those after it wait until ``until``
        (``perf_counter``).

        Raises:
            Problem: ``overloaded``, ``deadline``.
        """
        await self._take_turn(until, first=first)
        try:
            while not first and self.full:
                if perf_counter() >= until:
                    raise _late()
                await asyncio.sleep(POLL_SECONDS)
            with self.work(images):
                yield
        finally:
            self._portions.release()

    async def _take_turn(self, until: float, *, first: bool) -> None:
        if not self._portions.locked():
            await self._portions.acquire()
            return
        if first and self._waiting >= MAX_WAITING_BATCHES:
            raise Problem("overloaded", "Too many batches wait for their turn. Try again in a moment.")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._portions.acquire(), max(0.0, until - perf_counter()))
        except asyncio.TimeoutError as error:
            raise _late() from error
        finally:
            self._waiting -= 1


def _late() -> Problem:
    return Problem("deadline", "Not answered in time; the image is not read. Send fewer images at a time.")
