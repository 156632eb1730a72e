"""Buckets of requests, without a service; tests/served/test_access.py has them with one."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from serving.middleware import rate_limit
from serving.middleware.api_keys import digest
from serving.middleware.rate_limit import FILE, SECOND, TokenBucket
from tests.support.processes import ROOT

PAGE, ME, OTHER = digest(b"page"), digest(b"me"), digest(b"other")


class Clock:
    """A monotonic clock that stands until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(rate_limit, "monotonic_ns", lambda: round(self.now * SECOND))


@pytest.mark.parametrize("per_minute", [1, 7, 60, 1000])
def test_bucket_allows_a_burst_of_one_minute_and_refills_evenly(per_minute: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, bucket = Clock(monkeypatch), TokenBucket(per_minute, None)
    assert [bucket.acquire(PAGE) for _ in range(per_minute)] == [0.0] * per_minute
    wait = bucket.acquire(PAGE)
    assert wait == pytest.approx(60 / per_minute)
    assert bucket.acquire(PAGE) == wait  # refusals take nothing
    assert bucket.acquire(ME) == 0
    clock.now += wait + 1e-6
    assert bucket.acquire(PAGE) == 0
    assert bucket.acquire(PAGE) > 0
    clock.now += 600
    assert sum(bucket.acquire(PAGE) == 0 for _ in range(2 * per_minute)) == per_minute


def test_workers_share_buckets_for_any_order_of_keys(tmp_path: Path) -> None:
    first, second = TokenBucket(4, tmp_path), TokenBucket(4, tmp_path)
    assert [first.acquire(ME), second.acquire(PAGE), first.acquire(PAGE)] == [0.0] * 3
    assert [second.acquire(PAGE), first.acquire(PAGE)] == [0.0] * 2
    assert first.acquire(PAGE) > 0
    assert second.acquire(PAGE) > 0
    assert TokenBucket(4, tmp_path).acquire(PAGE) > 0  # nor does a worker that comes later begin anew
    assert [second.acquire(ME) for _ in range(4)] == [0, 0, 0, pytest.approx(15, abs=1)]


def test_all_keys_share_one_file(tmp_path: Path) -> None:
    bucket = TokenBucket(4, tmp_path)
    for number in range(100):
        assert bucket.acquire(digest(b"%d" % number)) == 0
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_full_bucket_makes_room_for_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    first, second = TokenBucket(1, tmp_path, entries=2), TokenBucket(1, tmp_path, entries=2)
    assert first.acquire(PAGE) == 0
    clock.now += 30
    assert first.acquire(ME) == 0
    clock.now += 31  # the bucket of the page is full again, mine is not
    assert second.acquire(OTHER) == 0
    assert [first.acquire(ME) > 0, first.acquire(OTHER) > 0] == [True, True]
    clock.now += 60
    assert [first.acquire(PAGE), second.acquire(PAGE) > 0] == [0, True]  # found again where it lies now
    assert second.acquire(ME) == 0


def test_more_keys_than_entries_are_accepted_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Clock(monkeypatch)
    bucket = TokenBucket(1, tmp_path, entries=2)
    with caplog.at_level(logging.WARNING):
        assert [bucket.acquire(PAGE), bucket.acquire(ME)] == [0, 0]
        assert caplog.text == ""
        assert bucket.acquire(OTHER) == 0
    assert "More than 2 keys" in caplog.text


def test_processes_that_add_keys_at_once_agree_on_every_entry(tmp_path: Path) -> None:
    """Each of four asks for the same keys in an order of its own, once; together they get what a bucket holds."""
    code = """
import random, sys
from pathlib import Path
from serving.middleware.api_keys import digest
from serving.middleware.rate_limit import TokenBucket
bucket, names = TokenBucket(3, Path(sys.argv[1])), list(range(50))
random.Random(int(sys.argv[2])).shuffle(names)
sys.stdin.readline()
print(sum(bucket.acquire(digest(b"%d" % name)) == 0 for name in names))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    workers = [
        subprocess.Popen([*command, str(seed)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for seed in range(4)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    let_in = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    # Requests of the same microsecond may be counted as one.
    assert 3 * 50 <= sum(let_in) <= 3 * 50 + 10
    keys = TokenBucket(3, tmp_path)._keys.tolist()
    assert len({key for key in keys if key}) == len([key for key in keys if key]) == 50
