"""Limits how many images all workers process at a time; more are refused with 429 at once, so that none wait long."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from serving.errors import Problem
from serving.process import metrics
from serving.process.shared_counters import SharedCounters
from serving.process.workers import worker_slots

FILE: Final = "images_in_flight.counts"
REASON: Final = "The service processes as many images as it may at a time. Try again in a moment."
# A chunk of a batch is a quarter of what its worker may process, and two chunks are processed at a time.
CHUNKS_PER_WORKER: Final = 4
CONCURRENT_CHUNKS: Final = 2
MAX_WAITING_BATCHES: Final = 16
POLL_SECONDS: Final = 0.01


class ConcurrencyLimit:
    """At most ``limit`` images in flight, counted over all workers.

    A batch is processed in chunks of ``chunk_size`` images. The batches of one worker hold at most two chunks at a time, half
    of the worker's part of the limit, so that the other half is left to single images.
    """

    def __init__(self, limit: int, images: SharedCounters, workers: int = 1) -> None:
        self._limit = limit
        metrics.images_in_flight_limit.set(limit)
        self._images = images
        self.chunk_size = max(1, limit // workers // CHUNKS_PER_WORKER)
        self._chunks = asyncio.Semaphore(CONCURRENT_CHUNKS)
        self._waiting = 0

    @classmethod
    def shared(
        cls, limit: int, folder: Path | None, worker: int, workers: int, living: Collection[int] | None = None
    ) -> "ConcurrencyLimit":
        """A limit shared with the workers that use the same folder, or of this worker alone without one. What was counted by
        workers whose slot is not among the ``living`` is reset."""
        slots = worker_slots(workers)
        images = SharedCounters.shared(folder / FILE if folder else None, slots, worker % slots, living)
        return cls(limit, images, workers)

    @property
    def in_flight(self) -> int:
        """Images that all workers process now."""
        return self._images.total

    @property
    def is_full(self) -> bool:
        """Whether the next image would be refused."""
        return self.in_flight >= self._limit

    @contextmanager
    def acquire(self, images: int) -> Iterator[None]:
        """Count ``images`` as in flight until the block ends; the last to be accepted may exceed the limit.

        Raises:
            Problem: ``overloaded``.
        """
        if self.is_full:
            raise Problem("overloaded", REASON)
        self._add(images)
        try:
            yield
        finally:
            self._add(-images)

    @asynccontextmanager
    async def acquire_chunk(self, images: int, until: float, *, first: bool) -> AsyncIterator[None]:
        """Count a chunk of a batch as in flight until the block ends, in turn with the other batches of this worker.

        The first chunk of a batch is refused like a single image when the limit is reached; later ones wait until ``until``
        (``perf_counter``).

        Raises:
            Problem: ``overloaded``, ``deadline``.
        """
        await self._acquire_semaphore(until, first=first)
        try:
            while not first and self.is_full:
                if perf_counter() >= until:
                    raise _deadline_exceeded()
                await asyncio.sleep(POLL_SECONDS)
            with self.acquire(images):
                yield
        finally:
            self._chunks.release()

    def _add(self, images: int) -> None:
        self._images.add(images)
        metrics.images_in_flight.set(self._images.own)

    async def _acquire_semaphore(self, until: float, *, first: bool) -> None:
        if not self._chunks.locked():
            await self._chunks.acquire()
            return
        if first and self._waiting >= MAX_WAITING_BATCHES:
            raise Problem("overloaded", "Too many batches are waiting. Try again in a moment.")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._chunks.acquire(), max(0.0, until - perf_counter()))
        except asyncio.TimeoutError as error:
            raise _deadline_exceeded() from error
        finally:
            self._waiting -= 1


def _deadline_exceeded() -> Problem:
    return Problem("deadline", "Not answered in time, so the image was not processed. Send fewer images at a time.")
