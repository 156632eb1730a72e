"""Counters that the workers of one service share: a mapped file with a slot for each worker.

A worker writes only its own slot, with aligned 8-byte stores, so that no lock is needed. A reader may see a sum that is off by
what other workers write at that moment.
"""

import fcntl
import mmap
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

CELL_BYTES: Final = 8


def map_bytes(file: Path | None, size: int) -> memoryview:
    """``size`` zero bytes shared with all processes that map the same file; without a file, private to this process.

    The file is written in full when it is created: a mapped page without a block on a full disk would kill the process later.

    Raises:
        OSError: the file cannot be created, for example on a full disk.
    """
    if file is None:
        return memoryview(bytearray(size))
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # another worker may be creating it
        if (missing := size - os.fstat(descriptor).st_size) > 0:
            os.pwrite(descriptor, bytes(missing), size - missing)
        return memoryview(mmap.mmap(descriptor, size))
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing is not enough: the map keeps a copy of the descriptor
        os.close(descriptor)


def map_cells(file: Path | None, cells: int) -> "memoryview[int]":
    """``cells`` int64 numbers, shared as by ``map_bytes``."""
    return map_bytes(file, cells * CELL_BYTES).cast("q")


class SharedCounters:
    """One counter for each worker slot: a worker writes the one at ``slot``, and reads all."""

    def __init__(self, cells: "memoryview[int]", slot: int) -> None:
        self._cells = cells
        self._slot = slot
        cells[slot] = 0  # reset the count of a dead worker with this slot

    @classmethod
    def shared(cls, file: Path | None, slots: int, slot: int, living: Collection[int] | None = None) -> "SharedCounters":
        """The ``slots`` counters in ``file``; those of slots that are not ``living`` are reset, where these are known."""
        cells = map_cells(file, slots)
        if living is not None:
            for other in set(range(slots)).difference(living):
                cells[other] = 0
        return cls(cells, slot)

    @property
    def own(self) -> int:
        """The counter of this worker."""
        return self._cells[self._slot]

    @own.setter
    def own(self, number: int) -> None:
        self._cells[self._slot] = number

    def add(self, amount: int) -> None:
        """Add ``amount`` to the counter of this worker."""
        self._cells[self._slot] += amount

    @property
    def total(self) -> int:
        """The sum over all slots."""
        return sum(self._cells)

    def of(self, slot: int) -> int:
        """The counter of another worker."""
        return self._cells[slot]
