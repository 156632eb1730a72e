"""The shared state of a reload, in a file that all workers map: generations in service and proposed, and a report per worker.

Each change is a single store of 8 bytes, which is atomic and needs no space on a disk: neither a worker that ends at any moment
nor a full disk leaves a change half done.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from serving.errors import Problem
from serving.process.shared_counters import CELL_BYTES, map_bytes
from serving.process.workers import worker_slots

FILE: Final = "reload"
LOCK_FILE: Final = "reload.lock"
HEAD_CELLS: Final = 4
_LAST, _SERVING, _CANDIDATE = 0, 1, 2
REPORT_CELLS: Final = 8
_PID, _SERVES, _BEGUN, _TRIED, _FAILED = 0, 1, 2, 3, 4
FAULT_BYTES: Final = 1024


class Report(NamedTuple):
    """The report of a worker: the generations it serves, last began to prepare, and last finished preparing; whether that
    failed, and why. ``pid`` is 0 while it takes no part."""

    pid: int
    serves: int
    begun: int
    tried: int
    failed: bool
    fault: str


class ReloadState:
    """The reload state in a buffer of ``size(slots)`` mapped bytes."""

    def __init__(self, data: memoryview, slots: int) -> None:
        cells = HEAD_CELLS + slots * REPORT_CELLS
        self.slots = slots
        self._cells = data[: cells * CELL_BYTES].cast("q")
        self._faults = data[cells * CELL_BYTES :]

    @classmethod
    def shared(cls, folder: Path, workers: int) -> "ReloadState":
        """The state of the workers that share ``folder``."""
        slots = worker_slots(workers)
        return cls(map_bytes(folder / FILE, cls.size(slots)), slots)

    @staticmethod
    def size(slots: int) -> int:
        """The bytes of a state with ``slots`` worker slots."""
        return (HEAD_CELLS + slots * REPORT_CELLS) * CELL_BYTES + slots * FAULT_BYTES

    @property
    def serving(self) -> int:
        """The generation that all workers are to serve."""
        return self._cells[_SERVING]

    @property
    def candidate(self) -> int:
        """The generation that all workers are to prepare; 0 while there is none."""
        return self._cells[_CANDIDATE]

    def new_generation(self) -> int:
        """A new generation number. Hold the reload lock to call this and the three methods below."""
        self._cells[_LAST] += 1
        return self._cells[_LAST]

    def propose(self, generation: int) -> None:
        """Have all workers prepare a generation."""
        self._cells[_CANDIDATE] = generation

    def withdraw(self) -> None:
        """Have all workers discard what they prepared."""
        self._cells[_CANDIDATE] = 0

    def commit(self, generation: int) -> None:
        """Have all workers serve a generation."""
        self._cells[_SERVING] = generation
        self._cells[_CANDIDATE] = 0

    def join(self, slot: int, pid: int, serves: int) -> None:
        """Take part from now on, as the worker of a slot."""
        place = self._place(slot)
        self._cells[place + _PID] = 0
        for field, number in ((_SERVES, serves), (_BEGUN, 0), (_TRIED, 0), (_FAILED, 0), (_PID, pid)):
            self._cells[place + field] = number

    def leave(self, slot: int) -> None:
        """Take part no longer."""
        self._cells[self._place(slot) + _PID] = 0

    def report_begun(self, slot: int, generation: int) -> None:
        """Report that this worker began to prepare a generation."""
        self._cells[self._place(slot) + _BEGUN] = generation

    def report_tried(self, slot: int, generation: int, fault: str | None) -> None:
        """Report that this worker prepared a generation, or failed for the reason ``fault``."""
        place = self._place(slot)
        text = (fault or "").encode()[: FAULT_BYTES - 1]
        self._faults[slot * FAULT_BYTES : slot * FAULT_BYTES + len(text) + 1] = text + b"\0"
        self._cells[place + _FAILED] = fault is not None
        self._cells[place + _TRIED] = generation  # stored last: a reader who sees it sees the others

    def report_serves(self, slot: int, generation: int) -> None:
        """Report that this worker serves a generation."""
        self._cells[self._place(slot) + _SERVES] = generation

    def report(self, slot: int) -> Report:
        """The last report of the worker of a slot."""
        place = self._place(slot)
        pid, serves, begun, tried, failed = self._cells[place : place + _FAILED + 1]
        text = bytes(self._faults[slot * FAULT_BYTES : (slot + 1) * FAULT_BYTES]).partition(b"\0")[0]
        return Report(pid, serves, begun, tried, bool(failed), text.decode(errors="replace"))

    def _place(self, slot: int) -> int:
        return HEAD_CELLS + slot * REPORT_CELLS


@contextmanager
def hold_reload_lock(folder: Path) -> Iterator[None]:
    """Hold the reload lock.

    Raises:
        Problem: ``not_updated``: another reload is running, or the lock cannot be opened.
    """
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Problem("not_updated", f"The reload lock cannot be opened: {error}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem("not_updated", "Another reload is running. Try again when it has finished.") from error
        yield
    finally:
        os.close(descriptor)
