import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving import balance
from serving.balance import Balance, surplus


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("serving.balance.monotonic", lambda: now[0])
    return now


def busy(worker: Balance, connections: int) -> int:
    """Answer a request on each of so many connections; how many were let go?"""
    return sum(worker.lets_go(("127.0.0.1", port)) for port in range(connections))


@pytest.mark.parametrize(
    ("mine", "everyones", "expected"),
    [(32, [32, 0], 8), (20, [20, 12], 2), (17, [17, 15], 0), (2, [2, 0], 1), (3, [3, 1], 1), (2, [2, 1], 0), (40, [40], 0)],
)
def test_half_of_what_is_over_the_mean_is_closed(mine: int, everyones: list[int], expected: int) -> None:
    assert surplus(mine, everyones) == expected


def test_connections_are_let_go_until_the_workers_hold_as_many(tmp_path: Path, clock: list[float]) -> None:
    (tmp_path / f"connections_{os.getppid()}.count").write_text("0")  # a living process with nothing to do
    worker, held = Balance(tmp_path), 32
    for _ in range(100):
        clock[0] += 1
        busy(worker, held)
        clock[0] += balance.TICK_SECONDS + 0.01
        held -= busy(worker, held)
    assert held <= 1


def test_a_worker_alone_keeps_its_connections(tmp_path: Path, clock: list[float]) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True, text=True)
    (tmp_path / f"connections_{dead.stdout.strip()}.count").write_text("0")
    worker = Balance(tmp_path)
    for _ in range(5):
        clock[0] += balance.TICK_SECONDS + 0.01
        assert busy(worker, 64) == 0


def test_what_is_not_busy_does_not_count(tmp_path: Path, clock: list[float]) -> None:
    (tmp_path / f"connections_{os.getppid()}.count").write_text("0")
    worker = Balance(tmp_path)
    for port in range(50):
        clock[0] += balance.BUSY_SECONDS + 0.01
        assert not worker.lets_go(("127.0.0.1", port))
