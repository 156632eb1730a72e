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

PLACES: Final = 256
FILE: Final = "work.counts"
_BYTES: Final = 8 * PLACES


class Admission:
    """The images this service works on: at most ``limit``, except that what is let in last may hold many."""

    def __init__(self, limit: int, counts: "memoryview[int]", place: int) -> None:
        self._limit = limit
        self._counts = counts
        self._place = place
        self._counts[place] = 0  # a worker that was killed left its own there

    @classmethod
    def shared(cls, limit: int, folder: Path | None, place: int) -> "Admission":
        """A count shared with the workers that name the same folder; without one this worker counts for itself."""
        if folder is None:
            return cls(limit, memoryview(bytearray(_BYTES)).cast("q"), place)
        file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.truncate(file, _BYTES)
            return cls(limit, memoryview(mmap.mmap(file, _BYTES)).cast("q"), place)
        finally:
            os.close(file)

    @property
    def working(self) -> int:
        """Images that all workers work on now."""
        return sum(self._counts)

    def check(self) -> None:
        """Refuse what could not be let in, before its body is read.

        Raises:
            Problem: ``overloaded``.
        """
        if (working := self.working) >= self._limit:
            raise Problem("overloaded", f"{working} images are being worked on, as many as may be. Try again in a moment.")

    @contextmanager
    def work(self, images: int) -> Iterator[None]:
        """Count ``images`` as worked on until the block ends.

        Raises:
            Problem: ``overloaded``.
        """
        self.check()
        self._counts[self._place] += images
        try:
            yield
        finally:
            self._counts[self._place] -= images
