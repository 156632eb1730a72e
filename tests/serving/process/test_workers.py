"""Who is alive, and who the slots of workers belong to."""

import os
import subprocess
from pathlib import Path

import pytest

from serving.process import workers
from serving.process.workers import Process, WorkerTable, is_alive, start_time, this_process

PROC = Path("/proc").is_dir()


def test_zombie_process_is_not_alive() -> None:
    child = subprocess.Popen(["sleep", "60"])
    process = Process(child.pid, start_time(child.pid))
    assert is_alive(process)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie
    assert is_alive(process) is not PROC
    child.wait()
    assert not is_alive(process)


@pytest.mark.skipif(not PROC, reason="needs /proc")
def test_another_process_with_the_id_of_a_dead_worker_is_not_alive() -> None:
    mine = this_process()
    assert is_alive(mine)
    assert not is_alive(Process(mine.pid, mine.started - 1))


@pytest.mark.parametrize("proc", [True, False])
def test_process_of_another_user_is_not_alive(proc: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As `os.kill` and a /proc that hides what belongs to others say it."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(workers, "_PROC", tmp_path if proc else tmp_path / "none")
    monkeypatch.setattr(os, "kill", refuse)
    assert not is_alive(Process(1, 1))


def test_worker_takes_the_slot_of_a_dead_worker_and_gets_its_pid(tmp_path: Path) -> None:
    dead = Process(2**22 + 1, 1)
    first, second = WorkerTable(tmp_path / "w", 4, 0, dead), WorkerTable(tmp_path / "w", 4, 1)
    assert first.join() is None
    assert second.join() is None
    assert second.living() == [1]
    successor = WorkerTable(tmp_path / "w", 4, 0)
    assert successor.join() == dead.pid
    assert second.living() == [0, 1]
    assert second.process_at(0) == this_process()
