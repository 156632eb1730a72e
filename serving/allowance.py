"""How many requests a minute each key may send, all workers together.

A key's bucket holds a minute's worth of requests and fills evenly. What is kept of it is one number, the moment at which it
will be full again, in a small file that all workers map. Two workers that let the same key in at the same microsecond count one
request instead of two, which is cheaper than a lock.
"""

import mmap
import os
from pathlib import Path
from time import monotonic_ns  # the machine's: one clock for all its processes
from typing import Final

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
_BYTES: Final = 8


class Allowance:
    """A bucket of ``per_minute`` requests for every key; shared with the workers that name the same folder."""

    def __init__(self, per_minute: int, folder: Path | None) -> None:
        self._interval = MINUTE // per_minute
        self._folder = folder
        self._full_at: dict[str, memoryview[int]] = {}

    def take(self, name: str) -> float:
        """Take a request out of a key's bucket: 0, or the seconds until there is one in it."""
        if name not in self._full_at:
            self._full_at[name] = self._map(name)
        cell, now = self._full_at[name], monotonic_ns()
        full_at = max(cell[0], now) + self._interval
        if full_at > now + MINUTE:
            return (full_at - now - MINUTE) / SECOND
        cell[0] = full_at
        return 0.0

    def _map(self, name: str) -> "memoryview[int]":
        if self._folder is None:
            return memoryview(bytearray(_BYTES)).cast("q")
        file = os.open(self._folder / f"allowance_{name}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.truncate(file, _BYTES)
            return memoryview(mmap.mmap(file, _BYTES)).cast("q")
        finally:
            os.close(file)
