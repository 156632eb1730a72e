"""The limit on connections and on open files."""

import resource

import pytest

from serving.bento import connections
from serving.bento.connections import OTHER_FILES, ConnectionTable, limit_connections

GREAT = 1_000_000


@pytest.fixture
def granted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What is asked of the system, which has 1,024 files for a process and 4,096 for one that asks."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(ConnectionTable, "limit", None)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    return asked


def test_as_many_files_are_asked_for_as_connections_need(granted: list[tuple[int, int]]) -> None:
    limit_connections(100)
    assert granted == []
    limit_connections(1024)
    assert granted == [(1024 + OTHER_FILES, 4096)]
    assert ConnectionTable.limit == 1024


def test_fewer_open_files_mean_fewer_connections(granted: list[tuple[int, int]], caplog: pytest.LogCaptureFixture) -> None:
    limit_connections(GREAT)
    assert granted == [(4096, 4096)]
    assert ConnectionTable.limit == 4096 - OTHER_FILES
    assert "Raise `ulimit -n`" in caplog.text


def test_unlimited_open_files_are_not_changed(monkeypatch: pytest.MonkeyPatch, granted: list[tuple[int, int]]) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    limit_connections(GREAT)
    assert (granted, ConnectionTable.limit) == ([], GREAT)
    limit_connections(None)
    assert ConnectionTable.limit is None


def test_connections_are_checked_every_second() -> None:
    assert connections.CHECK_SECONDS == 1.0  # or HEAD_SECONDS and WRITE_SECONDS are no seconds
