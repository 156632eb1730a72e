"""Memory, file descriptors, threads and CPU time: of a server's processes, of this one's children, and of the machine."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

# Memory of a process alone. Mapped files are left out: whether they count depends on what else runs on the machine.
PRIVATE: Final = ("RssAnon", "RssShmem", "VmSwap")
# CPU times that are no work, or that the kernel counts as user time already.
NOT_BUSY: Final = ("idle", "iowait", "guest", "guest_nice")


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """Sums over all processes of a server, the resident memory of the largest, and their ids.

    Memory is in MB; ``resident_mb`` counts what processes share once for each. CPU time is user and system time so far.
    """

    private_mb: float
    resident_mb: float
    largest_mb: float
    descriptors: int
    threads: int
    cpu_seconds: float
    pids: frozenset[int]


def sample_processes(parent: psutil.Process) -> ProcessStats:
    """Read the stats of a process and its live descendants."""
    private, resident, descriptors, threads, cpu_seconds = [], {}, 0, 0, 0.0
    for process in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if process.status() != psutil.STATUS_ZOMBIE:
                status, times = read_status(process.pid), process.cpu_times()
                descriptors += process.num_fds()
                threads += status["Threads"]
                cpu_seconds += times.user + times.system
                private.append(sum(status.get(name, 0) for name in PRIVATE))
                resident[process.pid] = status["VmRSS"]
    largest = max(resident.values(), default=0)
    private_mb, resident_mb, largest_mb = (size / 1024 for size in (sum(private), sum(resident.values()), largest))
    return ProcessStats(private_mb, resident_mb, largest_mb, descriptors, threads, cpu_seconds, frozenset(resident))


def read_status(pid: int | str = "self") -> dict[str, int]:
    """Read the numbers in ``/proc/PID/status``; memory is in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    words = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    return {name: int(value[0]) for name, value in words.items() if value and value[0].isdigit()}


def children_cpu_seconds() -> float:
    """CPU time of all processes that this one has started and waited for, such as wrk."""
    times = psutil.Process().cpu_times()
    return float(times.children_user + times.children_system)


def machine_cpu_seconds() -> float:
    """CPU time of everything on the machine so far."""
    times: dict[str, float] = psutil.cpu_times()._asdict()
    return sum(seconds for name, seconds in times.items() if name not in NOT_BUSY)
