"""Returns freed memory to the system: the C library otherwise keeps most of what large request bodies took."""

import asyncio
import ctypes
from collections.abc import Callable
from typing import Final

QUIET_SECONDS: Final = 5.0
# Less than this is not worth the milliseconds that it takes, in a thread.
WORTHWHILE_BYTES: Final = 33_554_432


def trim_heap() -> None:
    """Return free heap memory to the system, with glibc; a no-op with other C libraries."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class HeapTrimmer:
    """Trims the heap ``QUIET_SECONDS`` after much was freed, unless something large is in use then: later, in that case."""

    def __init__(self, in_use: Callable[[], int]) -> None:
        self._in_use = in_use
        self._freed = 0
        self._scheduled = False

    def freed(self, size: int) -> None:
        """Count ``size`` bytes as freed; called in the event loop."""
        self._freed += size
        if self._freed >= WORTHWHILE_BYTES and not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._trim_if_quiet)

    def _trim_if_quiet(self) -> None:
        if self._in_use():
            self._schedule()
            return
        self._freed, self._scheduled = 0, False
        asyncio.get_running_loop().run_in_executor(None, trim_heap)
