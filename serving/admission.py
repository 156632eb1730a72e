"""How much work a service takes on at a time, all its workers together; more is refused at once instead of making all wait.

Every worker keeps its count in a place of its own in a small file that all of them map; nobody waits for anybody's lock. A sum
that is read while others change theirs may be off by one for each of them, which lets as many more in.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from serving.errors import Problem

PLACES: Final = 512
FILE: Final = "work.counts"
_BYTES: Final = 8 * PLACES
REASON: Final = "The service works on as many images as it may. Try again in a moment."


class Admission:
    """The images this service works on: at most ``limit``, except that what is let in last may hold many."""

    def __init__(self, limit: int, counts: "memoryview[int]", place: int) -> None:
        self._limit = limit
        self._counts = counts
        self._place = place
        self._counts[place] = 0  # a worker that was killed left its own there

    @classmethod
    def shared(cls, limit: int, folder: Path | None, place: int, workers: int) -> "Admission":
        """A count shared with the workers that name the same folder; without one this worker counts for itself.

        There are twice as many places as workers: while one ends, another takes the next place.
        """
        places = min(2 * workers, PLACES)
        place %= places
        if folder is None:
            return cls(limit, memoryview(bytearray(_BYTES)).cast("q")[:places], place)
        file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.truncate(file, _BYTES)
            return cls(limit, memoryview(mmap.mmap(file, _BYTES)).cast("q")[:places], place)
        finally:
            os.close(file)

    @property
    def working(self) -> int:
        """Images that all workers work on now."""
        return sum(self._counts)

    @property
    def full(self) -> bool:
        """Whether no more would be let in."""
        return self.working >= self._limit

    @contextmanager
    def work(self, images: int) -> Iterator[None]:
        """Count ``images`` as worked on until the block ends.

        Raises:
            Problem: ``overloaded``.
        """
        if self.full:
            raise Problem("overloaded", REASON)
        self._counts[self._place] += images
        try:
            yield
        finally:
            self._counts[self._place] -= images
