"""The processes of one service: which worker this is, which others live, and what the parent leaves to them."""

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
    """A process by its id and the time it began, since ids are used again."""

    pid: int
    started: int


def this_process() -> Process:
    """The one that calls."""
    return Process(os.getpid(), start_time(os.getpid()))


def is_alive(process: Process) -> bool:
    """Whether it runs; one that ended and is not waited for yet does not, and neither does another that has its id now."""
    return process.started != 0 and start_time(process.pid) == process.started


def start_time(pid: int) -> int:
    """When the process with this id began, in clock ticks since the machine did; 0 where there is none that runs.

    Without /proc it is 1 for every process of this user: one of another user is no worker of this service.
    """
    try:
        stat = os.open(f"{_PROC}/{pid}/stat", os.O_RDONLY)
    except FileNotFoundError:
        return _exists(pid) if not _PROC.is_dir() else 0
    except OSError:
        return 0
    try:
        fields = os.read(stat, _STAT_BYTES).rpartition(b")")[2].split()
    except OSError:  # it ended in this moment
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
    """A folder that the workers of one service share and nobody else: the parent makes it at the start, empty."""
    folder = os.environ.get(RUNTIME_FOLDER)
    return Path(folder) / SHARED if folder else None


def worker_slot() -> int:
    """Which of the service's workers this is, from 0."""
    return max((bentoml.server_context.worker_index or 1) - 1, 0)


def worker_slots(workers: int) -> int:
    """How many slots a file has that workers share: twice as many as workers, since one that starts while another ends takes
    the next."""
    return min(2 * workers, MAX_SLOTS)


def become_parent() -> None:
    """Leave to the processes that this one starts who they belong to."""
    os.environ[PARENT] = str(os.getpid())


def is_parent() -> bool:
    """Whether this process has become the parent."""
    return os.environ.get(PARENT) == str(os.getpid())


def has_parent() -> bool:
    """Whether this is a worker, and the process that started it lives."""
    return os.environ.get(PARENT) == str(os.getppid())


def is_orphan() -> bool:
    """Whether this is a worker whose parent is gone; where a service runs without workers, nobody is."""
    return os.environ.get(PARENT, str(os.getpid())) not in (str(os.getpid()), str(os.getppid()))


class WorkerTable:
    """Which process each worker slot belongs to, in a file that all of them map."""

    def __init__(self, file: Path | None, slots: int, slot: int, process: Process | None = None) -> None:
        self.slot = slot % slots
        self.process = process or this_process()
        self._cells = map_cells(file, 2 * slots)

    @classmethod
    def shared(cls, service: str, workers: int) -> "WorkerTable":
        """The table of a service with so many workers, in the folder they share."""
        folder = shared_folder()
        return cls(folder / f"{service}.workers" if folder else None, worker_slots(workers), worker_slot())

    def join(self) -> int | None:
        """Take this worker's slot; the id of the process that had it before, if one did, which is dead by now."""
        before, place = self._cells[2 * self.slot], 2 * self.slot
        self._cells[place] = 0  # whoever reads meanwhile finds no process rather than half of one
        self._cells[place + 1] = self.process.started
        self._cells[place] = self.process.pid
        return before or None

    def process_at(self, slot: int) -> Process:
        """Whose slot it is, alive or dead; id 0 where nobody has had it."""
        return Process(self._cells[2 * slot], self._cells[2 * slot + 1])

    def living(self) -> list[int]:
        """The slots of workers that are alive."""
        return [slot for slot in range(len(self._cells) // 2) if self._cells[2 * slot] and is_alive(self.process_at(slot))]
