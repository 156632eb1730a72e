"""The worker processes of a service: the slot of this one, which others are alive, and the parent process."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import bentoml

from serving.process.shared_counters import map_cells

PARENT: Final = "IMAGE_CLASSIFIER_PARENT"
RUNTIME_FOLDER: Final = "IMAGE_CLASSIFIER_RUNTIME_FOLDER"
SHARED: Final = "shared"
MAX_SLOTS: Final = 512
_PROC: Final = Path("/proc")
_STAT_BYTES: Final = 4096
_STATE, _STARTED = 0, 19  # fields of /proc/PID/stat after the command
_DEAD: Final = (b"Z", b"X", b"x")


class Process(NamedTuple):
    """A process by its id and its start time, since ids are reused."""

    pid: int
    started: int


def this_process() -> Process:
    """The current process."""
    return Process(os.getpid(), start_time(os.getpid()))


def is_alive(process: Process) -> bool:
    """Whether it runs; a zombie does not, and neither does another process that has its id now."""
    return process.started != 0 and start_time(process.pid) == process.started


def start_time(pid: int) -> int:
    """The start time of a process, in clock ticks since the machine booted; 0 if no such process runs.

    Without /proc it is 1 for each process of this user: a process of another user is no worker of this service.
    """
    try:
        stat = os.open(f"{_PROC}/{pid}/stat", os.O_RDONLY)
    except FileNotFoundError:
        return _exists(pid) if not _PROC.is_dir() else 0
    except OSError:
        return 0
    try:
        fields = os.read(stat, _STAT_BYTES).rpartition(b")")[2].split()
    except OSError:  # it ended just now
        return 0
    finally:
        os.close(stat)
    return 0 if fields[_STATE] in _DEAD else int(fields[_STARTED])


def _exists(pid: int) -> int:
    with suppress(OSError, OverflowError):
        os.kill(pid, 0)
        return 1
    return 0


def shared_folder() -> Path | None:
    """The folder that the workers of one service share; the parent creates it empty. None outside a service."""
    folder = os.environ.get(RUNTIME_FOLDER)
    return Path(folder) / SHARED if folder else None


def worker_slot() -> int:
    """The index of this worker, from 0."""
    return max((bentoml.server_context.worker_index or 1) - 1, 0)


def worker_slots(workers: int) -> int:
    """The number of slots in a shared file: twice the workers, since one that starts while another ends takes a new slot."""
    return min(2 * workers, MAX_SLOTS)


def become_parent() -> None:
    """Record in the environment that this process is the parent of those it starts."""
    os.environ[PARENT] = str(os.getpid())


def is_parent() -> bool:
    """Whether this process is the parent."""
    return os.environ.get(PARENT) == str(os.getpid())


def has_parent() -> bool:
    """Whether this is a worker whose parent is alive."""
    return os.environ.get(PARENT) == str(os.getppid())


def is_orphan() -> bool:
    """Whether this is a worker whose parent has ended; never in a service without workers."""
    return os.environ.get(PARENT, str(os.getpid())) not in (str(os.getpid()), str(os.getppid()))


class WorkerTable:
    """The process of each worker slot, in a file that all workers map."""

    def __init__(self, file: Path | None, slots: int, slot: int, process: Process | None = None) -> None:
        self.slot = slot % slots
        self.process = process or this_process()
        self._cells = map_cells(file, 2 * slots)

    @classmethod
    def shared(cls, service: str, workers: int) -> "WorkerTable":
        """The table of a service with ``workers`` workers, in the folder they share."""
        folder = shared_folder()
        return cls(folder / f"{service}.workers" if folder else None, worker_slots(workers), worker_slot())

    def join(self) -> int | None:
        """Take this worker's slot; returns the id of the dead process that had it before, if any."""
        before, place = self._cells[2 * self.slot], 2 * self.slot
        self._cells[place] = 0  # a reader meanwhile finds no process, not half of one
        self._cells[place + 1] = self.process.started
        self._cells[place] = self.process.pid
        return before or None

    def process_at(self, slot: int) -> Process:
        """The process of a slot, alive or dead; id 0 where there was none."""
        return Process(self._cells[2 * slot], self._cells[2 * slot + 1])

    def living(self) -> list[int]:
        """The slots of live workers."""
        return [slot for slot in range(len(self._cells) // 2) if self._cells[2 * slot] and is_alive(self.process_at(slot))]
