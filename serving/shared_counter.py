"""A number that all workers of a service add up without a lock.

Every worker keeps its part in a slot of its own in a small file that all of them map. Who adds first and then compares the sum
with a limit keeps to it: of two workers that add at the same moment both may be refused.
"""

import mmap
import os
from pathlib import Path
from typing import Final

MAX_SLOTS: Final = 512
_BYTES: Final = 8 * MAX_SLOTS


class SharedCounter:
    """A sum over workers, of which this worker changes its own part only; use it in one thread."""

    def __init__(self, slots: "memoryview[int]", slot: int) -> None:
        self._slots = slots
        self._slot = slot
        slots[slot] = 0  # a worker that was killed left its own part there

    @classmethod
    def open(cls, file_name: str, folder: Path | None, worker: int, workers: int) -> "SharedCounter":
        """The counter in a file that all workers map; without a folder this worker counts for itself.

        There are twice as many slots as workers: while one ends, another takes the next slot.
        """
        slots = min(2 * workers, MAX_SLOTS)
        worker %= slots
        if folder is None:
            return cls(memoryview(bytearray(_BYTES)).cast("q")[:slots], worker)
        file = os.open(folder / file_name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.truncate(file, _BYTES)
            return cls(memoryview(mmap.mmap(file, _BYTES)).cast("q")[:slots], worker)
        finally:
            os.close(file)

    @property
    def total(self) -> int:
        """The sum over all workers."""
        return sum(self._slots)

    def add(self, amount: int) -> None:
        """Add to this worker's part; a negative amount takes away."""
        self._slots[self._slot] += amount
