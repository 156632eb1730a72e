"""Holds the API keys in memory, and reads them again when their file changes."""

import asyncio
import logging
from pathlib import Path
from time import monotonic
from typing import Final

from serving.middleware.api_keys import Key, KeysError, find, read_keys, warnings
from serving.middleware.audit import DONE, FAILED, Actor, write
from serving.process.request_context import CURRENT, NO_REQUEST
from serving.process.workers import worker_slot

logger = logging.getLogger("bentoml.serving")

CHECK_SECONDS: Final = 1.0
ACTION: Final = "api_keys.reload"
ACTOR: Final = Actor("file of keys", "")


class ApiKeyStore:
    """The keys of a file: a new key is accepted, and a removed one refused, within about a second.

    The file's status is read in a thread, since it may be on a slow disk. A request that finds the last check older than a
    second waits for the next one, so that a removed key is never accepted because there was no request for a while.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys = read_keys(file)
        self._state = self._status()
        self._checked = monotonic()
        self._refresh_task: asyncio.Task[None] | None = None
        for warning in warnings(file, self._keys) if worker_slot() == 0 else ():
            logger.warning("%s", warning)

    async def find(self, secret: bytes) -> Key | None:
        """The key whose secret is ``secret``, or None."""
        if monotonic() - self._checked > CHECK_SECONDS:
            if self._refresh_task is None:
                self._refresh_task = asyncio.get_running_loop().create_task(self._refresh())
            await asyncio.shield(self._refresh_task)
        return find(self._keys, secret)

    async def _refresh(self) -> None:
        CURRENT.set(NO_REQUEST)  # the change has nothing to do with the request that finds it
        try:
            await asyncio.to_thread(self._read)
        finally:
            self._checked, self._refresh_task = monotonic(), None

    def _read(self) -> None:
        """Read the file again if it changed, which the audit log says; if it cannot be used, keep the keys from before."""
        before, self._state = self._state, self._status()
        if self._state != before:
            try:
                keys, old = read_keys(self._file), self._keys
            except KeysError as error:
                logger.error("%s The keys from before stay valid.", error)
                write(ACTION, FAILED, ACTOR, {"file": str(self._file), "reason": str(error)})
                return
            self._keys = keys
            added, removed = [key.name for key in keys if key not in old], [key.name for key in old if key not in keys]
            write(ACTION, DONE, ACTOR, {"file": str(self._file), "keys": len(keys), "added": added, "removed": removed})

    def _status(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
