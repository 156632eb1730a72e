"""How many requests a minute each key may send, all workers together.

A key's bucket holds a minute's worth of requests and fills evenly. What is kept of it is one number, the moment at which it
will be full again, in a table that all workers map: an entry is the start of the key's digest and that moment. Entries are
added under a lock, once for each key and worker. An entry whose bucket is full says nothing that a new one would not, so that
its place may be given to another key when there is no empty one; a worker looks before each request whether the entry still is
the key's. Two workers that let the same key in at the same microsecond count one request instead of two, which is cheaper than
a lock.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns  # the machine's: one clock for all its processes
from typing import Final

from serving.process.shared_counters import CELL_BYTES, map_cells

logger = logging.getLogger("bentoml.serving")

FILE: Final = "rate_limit"
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
ENTRIES: Final = 4096
EMPTY: Final = 0


class TokenBucket:
    """A bucket of ``per_minute`` requests for every key, shared with the workers that name the same folder.

    Keys are told apart by their digests, at least 8 bytes of which nobody can choose any.
    """

    def __init__(self, per_minute: int, folder: Path | None, entries: int = ENTRIES) -> None:
        self._interval = MINUTE // per_minute
        self._file = folder / FILE if folder else None
        cells = map_cells(self._file, 2 * entries)
        self._keys, self._full_at = cells[:entries], cells[entries:]
        self._entry: dict[bytes, tuple[int, int]] = {}

    def acquire(self, digest: bytes) -> float:
        """Take a request out of a key's bucket: 0, or the seconds until there is one in it."""
        key, entry = self._entry.get(digest) or self._find(digest)
        if self._keys[entry] != key:  # given to another key since
            key, entry = self._find(digest)
        now = monotonic_ns()
        full_at = max(self._full_at[entry], now) + self._interval
        if full_at > now + MINUTE:
            return (full_at - now - MINUTE) / SECOND
        self._full_at[entry] = full_at
        return 0.0

    def _find(self, digest: bytes) -> tuple[int, int]:
        """A key as the table has it, and its entry, which is made when there is none."""
        key = int.from_bytes(digest[:CELL_BYTES], "little", signed=True) or 1
        with self._locked():
            keys = self._keys.tolist()
            if key in keys:
                entry = keys.index(key)
            else:
                entry = keys.index(EMPTY) if EMPTY in keys else self._longest_full()
                self._full_at[entry] = 0
                self._keys[entry] = key
        self._entry[digest] = key, entry
        return key, entry

    def _longest_full(self) -> int:
        """The entry that has been full for longest, or will be first."""
        moments = self._full_at.tolist()
        entry = moments.index(min(moments))
        if moments[entry] > monotonic_ns():
            logger.warning("More than %d keys send requests: RATE_LIMIT is not kept for all of them.", len(moments))
        return entry

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the table, which other workers hold for microseconds."""
        if self._file is None:
            yield
            return
        descriptor = os.open(self._file, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
