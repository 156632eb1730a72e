"""What the processes of a service hold at a moment: memory, descriptors, threads."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# Of memory, what belongs to a process alone: files that are mapped count neither for it nor, as other programs come and go,
# against it.
PRIVATE = ("RssAnon", "RssShmem", "VmSwap")


@dataclass(frozen=True, slots=True)
class Vitals:
    """Sums over all processes of a service, and their ids. ``resident_mb`` counts what they share once for each."""

    private_mb: float
    resident_mb: float
    descriptors: int
    threads: int
    processes: frozenset[int]


def look(root: psutil.Process) -> Vitals:
    """The vitals of a process and all its descendants that live."""
    private = resident = descriptors = threads = 0
    living = set()
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            status = _status(process.pid)
            descriptors += process.num_fds()
            threads += status["Threads"]
            resident += status["VmRSS"]
            private += sum(status.get(name, 0) for name in PRIVATE)
            living.add(process.pid)
    return Vitals(private / 1024, resident / 1024, descriptors, threads, frozenset(living))


def _status(pid: int) -> dict[str, int]:
    """The numbers of ``/proc/PID/status``; memory is in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    found = {}
    for name, _, value in (line.partition(":") for line in lines):
        first = value.split()[:1]
        if first and first[0].isdigit():
            found[name] = int(first[0])
    return found
