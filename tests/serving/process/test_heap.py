"""Memory that large bodies took goes back to the system, and not while more of them come."""

import asyncio
import ctypes
import subprocess
import sys

import pytest

from serving.process import heap
from serving.process.heap import WORTHWHILE_BYTES, HeapTrimmer
from tests.support.waiting import until_in_loop

MEGABYTE = 1 << 20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_free_memory_below_memory_in_use_goes_back() -> None:
    code = f"""
import psutil
from serving.process.heap import trim_heap
blocks = [bytearray(100_000) for _ in range(1000)]
kept = blocks[-1]
del blocks
before = psutil.Process().memory_info().rss
trim_heap()
print((before - psutil.Process().memory_info().rss) / {MEGABYTE})
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert float(ran.stdout) > 60


def test_the_heap_is_trimmed_once_much_was_freed_and_nothing_large_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed: list[int] = []
    in_use = [MEGABYTE]
    monkeypatch.setattr(heap, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(heap, "trim_heap", lambda: trimmed.append(in_use[0]))

    async def main() -> None:
        trimmer = HeapTrimmer(lambda: in_use[0])
        trimmer.freed(WORTHWHILE_BYTES - 1)
        await asyncio.sleep(0.05)
        trimmer.freed(1)
        await asyncio.sleep(0.05)
        assert trimmed == []
        in_use[0] = 0
        await until_in_loop(lambda: trimmed == [0])
        trimmer.freed(MEGABYTE)
        await asyncio.sleep(0.05)
        assert trimmed == [0]

    asyncio.run(main())
