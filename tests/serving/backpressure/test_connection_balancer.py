import os
from pathlib import Path

import pytest

from serving.backpressure import connection_balancer
from serving.backpressure.connection_balancer import ConnectionBalancer, surplus
from serving.process.workers import Process, WorkerTable, start_time, worker_slots

WORKERS = 2
PARENT = Process(os.getppid(), start_time(os.getppid()))  # a process that lives, and is not this one


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("serving.backpressure.connection_balancer.monotonic", lambda: now[0])
    return now


def table(folder: Path, slot: int, process: Process | None = None) -> WorkerTable:
    """The workers in ``folder``, of which another one joined at ``slot``."""
    joined = WorkerTable(folder / "workers", worker_slots(WORKERS), slot, process)
    joined.join()
    return joined


def balancer(folder: Path, slot: int, process: Process | None = None) -> ConnectionBalancer:
    return ConnectionBalancer(folder, table(folder, slot, process), WORKERS)


def answer(worker: ConnectionBalancer, connections: int) -> int:
    """Answer a request on each of so many connections; how many are to be closed?"""
    return sum(worker.should_close(("127.0.0.1", port)) for port in range(connections))


@pytest.mark.parametrize(
    ("mine", "everyones", "expected"),
    [(32, [32, 0], 8), (20, [20, 12], 2), (17, [17, 15], 0), (2, [2, 0], 1), (3, [3, 1], 1), (2, [2, 1], 0), (40, [40], 0)],
)
def test_half_of_the_connections_over_the_mean_are_closed(mine: int, everyones: list[int], expected: int) -> None:
    assert surplus(mine, everyones) == expected


def test_connections_are_closed_until_workers_are_balanced(tmp_path: Path, clock: list[float]) -> None:
    table(tmp_path, 1, PARENT)
    worker, held = balancer(tmp_path, 0), 32
    for _ in range(100):
        clock[0] += 1
        answer(worker, held)
        clock[0] += connection_balancer.TICK_SECONDS + 0.01
        held -= answer(worker, held)
    assert held <= 1


def test_balanced_workers_close_no_connections(tmp_path: Path, clock: list[float]) -> None:
    workers = [balancer(tmp_path, 0), balancer(tmp_path, 1, PARENT)]
    closed = []
    for _ in range(5):
        clock[0] += connection_balancer.TICK_SECONDS + 0.01
        closed.append([answer(worker, 32) for worker in workers])
    assert closed[-2:] == [[0, 0], [0, 0]]  # once each knows what the other has


@pytest.mark.parametrize("dead", [Process(os.getpid(), 1), Process(2**22 + 1, 1)])
def test_dead_worker_does_not_make_others_close_connections(tmp_path: Path, clock: list[float], dead: Process) -> None:
    """Also where another process has the id that the dead one had."""
    table(tmp_path, 1, dead)
    worker = balancer(tmp_path, 0)
    for _ in range(5):
        clock[0] += connection_balancer.TICK_SECONDS + 0.01
        assert answer(worker, 64) == 0


def test_a_connection_that_is_not_busy_does_not_count(tmp_path: Path, clock: list[float]) -> None:
    table(tmp_path, 1, PARENT)
    worker = balancer(tmp_path, 0)
    for port in range(50):
        clock[0] += connection_balancer.BUSY_SECONDS + 0.01
        assert not worker.should_close(("127.0.0.1", port))


def test_counts_are_exchanged_without_opening_a_file(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks at which workers live, a second apart."""
    workers = [balancer(tmp_path, 0), balancer(tmp_path, 1, PARENT)]
    clock[0] += 1
    for worker in workers:
        answer(worker, 8)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened a file"))
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read a file"))
    clock[0] += connection_balancer.TICK_SECONDS + 0.01
    assert answer(workers[0], 40) > 0
