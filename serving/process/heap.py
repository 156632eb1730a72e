"""Returns freed heap memory to the system, which the C library otherwise keeps after large request bodies."""

import asyncio
import ctypes
from collections.abc import Callable
from typing import Final

QUIET_SECONDS: Final = 5.0
# Trimming takes milliseconds in a thread, which less memory than this is not worth.
MIN_FREED_BYTES: Final = 33_554_432


def trim_heap() -> None:
    """Return free heap memory to the system with glibc's ``malloc_trim``; does nothing with other C libraries."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


class HeapTrimmer:
    """Trims the heap ``QUIET_SECONDS`` after ``MIN_FREED_BYTES`` were freed; later while ``in_use()`` bytes are still held."""

    def __init__(self, in_use: Callable[[], int]) -> None:
        self._in_use = in_use
        self._freed = 0
        self._scheduled = False

    def add_freed(self, size: int) -> None:
        """Count ``size`` bytes as freed; must be called in the event loop."""
        self._freed += size
        if self._freed >= MIN_FREED_BYTES and not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._trim_when_unused)

    def _trim_when_unused(self) -> None:
        if self._in_use():
            self._schedule()
            return
        self._freed, self._scheduled = 0, False
        asyncio.get_running_loop().run_in_executor(None, trim_heap)
