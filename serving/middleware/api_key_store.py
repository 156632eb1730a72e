"""The API keys in force in this worker, read again when their file changes."""

import asyncio
import logging
from pathlib import Path
from time import monotonic
from typing import Final

from serving.middleware.api_keys import Key, KeysError, find, read_keys, warnings
from serving.process.workers import worker_place

logger = logging.getLogger("bentoml.serving")

RENEW_SECONDS: Final = 1.0


class ApiKeyStore:
    """The keys of a file: a new key works, and a removed one ends, within a second or so.

    The file is looked at in a thread, since it may lie on a slow disk; the request that finds it unchecked for a second waits
    for that, so that a key which was removed is never let in because nobody had asked for a while.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys = read_keys(file)
        self._state = self._look()
        self._looked = monotonic()
        self._renewal: asyncio.Task[None] | None = None
        for warning in warnings(file, self._keys) if worker_place() == 0 else ():
            logger.warning("%s", warning)

    async def find(self, secret: bytes) -> Key | None:
        """The key that ``secret`` is."""
        if monotonic() - self._looked > RENEW_SECONDS:
            if self._renewal is None:
                self._renewal = asyncio.get_running_loop().create_task(self._renew())
            await asyncio.shield(self._renewal)
        return find(self._keys, secret)

    async def _renew(self) -> None:
        try:
            await asyncio.to_thread(self._read)
        finally:
            self._looked, self._renewal = monotonic(), None

    def _read(self) -> None:
        """Read the file again if it is another; while it cannot be used, the keys it held before stay in force."""
        before, self._state = self._state, self._look()
        if self._state != before:
            try:
                self._keys = read_keys(self._file)
                logger.info("%s holds %d keys now.", self._file, len(self._keys))
            except KeysError as error:
                logger.error("%s The keys from before stay in force.", error)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
