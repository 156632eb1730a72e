"""Rate limit: a token bucket for each API key, shared by all workers.

A key's bucket holds the requests of one minute and refills evenly. It is stored as one number, the time when it will be full
again, in a table that all workers map: an entry is the first bytes of the key's digest and that time. Entries are added under a
lock, once for each key and worker. An entry whose bucket is full equals a new one, so that another key may take its place when
the table has no empty entry; a worker checks before each request whether the entry still belongs to the key. Two workers that
accept a request of the same key in the same microsecond count one instead of two, which is cheaper than a lock.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns  # the same clock in all processes of a machine
from typing import Final

from serving.process.shared_counters import CELL_BYTES, map_cells

logger = logging.getLogger("bentoml.serving")

FILE: Final = "rate_limit"
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
ENTRIES: Final = 4096
EMPTY: Final = 0


class TokenBucket:
    """A bucket of ``per_minute`` requests for each key, shared by the workers that use the same folder.

    A key is identified by the first 8 bytes of its digest, which a client cannot choose.
    """

    def __init__(self, per_minute: int, folder: Path | None, entries: int = ENTRIES) -> None:
        self._interval = MINUTE // per_minute
        self._file = folder / FILE if folder else None
        cells = map_cells(self._file, 2 * entries)
        self._keys, self._full_at = cells[:entries], cells[entries:]
        self._entry: dict[bytes, tuple[int, int]] = {}

    def acquire(self, digest: bytes) -> float:
        """Take one request from a key's bucket: 0.0, or the seconds until the bucket has one again."""
        key, entry = self._entry.get(digest) or self._find(digest)
        if self._keys[entry] != key:  # another key has taken the entry
            key, entry = self._find(digest)
        now = monotonic_ns()
        full_at = max(self._full_at[entry], now) + self._interval
        if full_at > now + MINUTE:
            return (full_at - now - MINUTE) / SECOND
        self._full_at[entry] = full_at
        return 0.0

    def _find(self, digest: bytes) -> tuple[int, int]:
        """A key as the table stores it, and its entry, which is added if missing."""
        key = int.from_bytes(digest[:CELL_BYTES], "little", signed=True) or 1
        with self._locked():
            keys = self._keys.tolist()
            if key in keys:
                entry = keys.index(key)
            else:
                entry = keys.index(EMPTY) if EMPTY in keys else self._entry_to_reuse()
                self._full_at[entry] = 0
                self._keys[entry] = key
        self._entry[digest] = key, entry
        return key, entry

    def _entry_to_reuse(self) -> int:
        """The entry whose bucket has been full for longest, or will be full first."""
        moments = self._full_at.tolist()
        entry = moments.index(min(moments))
        if moments[entry] > monotonic_ns():
            logger.warning("More than %d keys send requests: RATE_LIMIT is not enforced for all of them.", len(moments))
        return entry

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the table; other workers hold it for microseconds."""
        if self._file is None:
            yield
            return
        descriptor = os.open(self._file, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
