"""Numbers that the workers of one service share: a mapped file, in which every worker has a slot of its own.

A worker writes its own slot alone, one aligned 8-byte store each, so that nobody needs a lock. Whoever reads while others write
may see a sum that is off by what is written at that moment.
"""

import fcntl
import mmap
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

CELL_BYTES: Final = 8


def map_bytes(file: Path | None, size: int) -> memoryview:
    """``size`` bytes shared with all processes that map the same file, zeros at first; without a file this process's alone.

    The file's blocks are written when it is made: a mapped page that has no block on a full disk would end the process later.

    Raises:
        OSError: the file cannot be made, for example on a full disk.
    """
    if file is None:
        return memoryview(bytearray(size))
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # another worker may be making it
        if (missing := size - os.fstat(descriptor).st_size) > 0:
            os.pwrite(descriptor, bytes(missing), size - missing)
        return memoryview(mmap.mmap(descriptor, size))
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone would not do: the map keeps a copy of the descriptor
        os.close(descriptor)


def map_cells(file: Path | None, cells: int) -> "memoryview[int]":
    """So many int64, as ``map_bytes`` shares them."""
    return map_bytes(file, cells * CELL_BYTES).cast("q")


class SharedCounters:
    """One number for each worker slot: a worker changes the one at ``slot``, and reads all."""

    def __init__(self, cells: "memoryview[int]", slot: int) -> None:
        self._cells = cells
        self._slot = slot
        cells[slot] = 0  # what a worker that died left in this slot

    @classmethod
    def shared(cls, file: Path | None, slots: int, slot: int, living: Collection[int] | None = None) -> "SharedCounters":
        """The counters in ``file``, which has ``slots`` of them; only those of the ``living`` slots keep their numbers, where
        these are known."""
        cells = map_cells(file, slots)
        if living is not None:
            for other in set(range(slots)).difference(living):
                cells[other] = 0
        return cls(cells, slot)

    @property
    def own(self) -> int:
        """This worker's number."""
        return self._cells[self._slot]

    @own.setter
    def own(self, number: int) -> None:
        self._cells[self._slot] = number

    def add(self, amount: int) -> None:
        """Change this worker's number by ``amount``."""
        self._cells[self._slot] += amount

    @property
    def total(self) -> int:
        """The sum over all slots."""
        return sum(self._cells)

    def of(self, slot: int) -> int:
        """The number of another worker."""
        return self._cells[slot]
