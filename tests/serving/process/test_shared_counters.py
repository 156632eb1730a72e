"""Numbers that workers share through a mapped file."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from serving.process.shared_counters import SharedCounters, map_cells


def test_worker_writes_its_own_counter_and_reads_all(tmp_path: Path) -> None:
    first, second = (SharedCounters.shared(tmp_path / "counts", 4, slot) for slot in (0, 3))
    first.own += 2
    second.own = 40
    assert [first.own, second.own, first.total, second.total, first.of(3), first.of(1)] == [2, 40, 42, 42, 40, 0]
    assert SharedCounters.shared(tmp_path / "counts", 4, 3).own == 0  # what the one before left there is gone
    assert first.total == 2


def test_single_worker_needs_no_shared_file() -> None:
    counters = SharedCounters.shared(None, 2, 1)
    counters.own += 1
    assert counters.total == 1


def test_shared_file_is_private_and_fully_allocated(tmp_path: Path) -> None:
    """A page without a block would end the process that writes it once the disk is full."""
    map_cells(tmp_path / "cells", 10_000)
    status = (tmp_path / "cells").stat()
    assert status.st_mode & 0o077 == 0
    assert status.st_blocks * 512 >= status.st_size == 80_000


def test_a_full_disk_is_an_error_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        map_cells(tmp_path / "cells", 8)


def test_mapping_a_file_releases_its_lock(tmp_path: Path) -> None:
    cells = map_cells(tmp_path / "cells", 8)
    with (tmp_path / "cells").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert map_cells(tmp_path / "cells", 8) == cells


def test_new_worker_resets_the_counters_of_dead_workers(tmp_path: Path) -> None:
    """The worker after a killed one takes the next slot, not the one of the dead."""
    file = tmp_path / "counts"
    living, dead = (SharedCounters.shared(file, 4, slot) for slot in (0, 1))
    living.own, dead.own = 3, 500
    assert SharedCounters.shared(file, 4, 2, living=[0, 2]).total == 3
