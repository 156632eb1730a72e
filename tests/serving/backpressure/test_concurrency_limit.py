"""What a service takes on at a time, counted over its workers."""

import asyncio
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

from serving.backpressure.concurrency_limit import FILE, MAX_WAITING_BATCHES, ConcurrencyLimit
from serving.errors import Problem
from tests.support.processes import ROOT


def test_images_over_the_limit_are_refused() -> None:
    limit = ConcurrencyLimit.shared(2, None, 0, 2)
    with limit.acquire(1), limit.acquire(1):
        with pytest.raises(Problem, match="as many images as it may") as refused, limit.acquire(1):
            pytest.fail("one too many")
        assert refused.value.status == 429
        assert limit.is_full
    assert not limit.is_full
    assert limit.in_flight == 0


def test_batch_may_exceed_the_limit_when_it_starts_below() -> None:
    limit = ConcurrencyLimit.shared(2, None, 0, 2)
    with limit.acquire(1), limit.acquire(200):
        assert limit.in_flight == 201
        assert limit.is_full
    assert limit.in_flight == 0


def test_failed_image_is_not_counted() -> None:
    limit = ConcurrencyLimit.shared(1, None, 0, 2)
    with pytest.raises(ZeroDivisionError), limit.acquire(1):
        raise ZeroDivisionError
    assert not limit.is_full


def test_limit_is_shared_by_workers_and_dead_ones_are_reset(tmp_path: Path) -> None:
    first, second = ConcurrencyLimit.shared(2, tmp_path, 0, 2), ConcurrencyLimit.shared(2, tmp_path, 1, 2)
    with first.acquire(1):
        work = f"work = ConcurrencyLimit.shared(2, Path({str(tmp_path)!r}), 1, 2).acquire(1)"
        code = f"import os; from serving.backpressure.concurrency_limit import *; {work}; work.__enter__(); os._exit(9)"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
        assert first.in_flight == second.in_flight == 2
        assert first.is_full and second.is_full
        assert ConcurrencyLimit.shared(2, tmp_path, 1, 2).in_flight == 1
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_batches_hold_no_more_than_half_and_take_turns() -> None:
    """Of three batches of four portions each, two portions are worked on at a time, and none of a batch twice in a row."""
    order: list[str] = []

    async def batch(limit: ConcurrencyLimit, name: str) -> None:
        for number in range(4):
            async with limit.acquire_chunk(limit.chunk_size, perf_counter() + 10, first=number == 0):
                order.append(name)
                assert limit.in_flight <= 64 + 2
                assert not limit.is_full
                with limit.acquire(1):
                    await asyncio.sleep(0.001)

    async def main() -> None:
        limit = ConcurrencyLimit.shared(128, None, 0, 1)
        assert limit.chunk_size == 32
        await asyncio.gather(*(batch(limit, name) for name in "abc"))
        assert limit.in_flight == 0

    asyncio.run(main())
    assert {name: order[:6].count(name) for name in "abc"} == {"a": 2, "b": 2, "c": 2}


def test_first_chunk_is_refused_at_the_limit_and_later_chunks_wait() -> None:
    async def portion(limit: ConcurrencyLimit, *, first: bool, seconds: float = 10.0) -> int:
        async with limit.acquire_chunk(1, perf_counter() + seconds, first=first):
            return limit.in_flight

    async def main() -> None:
        limit = ConcurrencyLimit.shared(2, None, 0, 1)
        with limit.acquire(2):
            with pytest.raises(Problem) as refused:
                await portion(limit, first=True)
            assert refused.value.code == "overloaded"
            with pytest.raises(Problem) as refused:
                await portion(limit, first=False, seconds=0.02)
            assert refused.value.code == "deadline"
            waiting = asyncio.create_task(portion(limit, first=False))
            await asyncio.sleep(0)
        assert await waiting == 1
        assert limit.in_flight == 0

    asyncio.run(main())


def test_too_many_batches_that_wait_are_refused() -> None:
    async def main() -> list[int | None]:
        limit, go_on = ConcurrencyLimit.shared(128, None, 0, 1), asyncio.Event()

        async def batch() -> int | None:
            try:
                async with limit.acquire_chunk(1, perf_counter() + 10, first=True):
                    await go_on.wait()
            except Problem as problem:
                return problem.status
            return None

        tasks = [asyncio.create_task(batch()) for _ in range(MAX_WAITING_BATCHES + 12)]
        await asyncio.sleep(0.05)
        go_on.set()
        return await asyncio.gather(*tasks)

    statuses = asyncio.run(main())
    assert statuses.count(429) == 10
    assert statuses.count(None) == MAX_WAITING_BATCHES + 2
