"""Keep-alive connections spread over the workers.

All workers accept from one socket, and a connection stays with the worker that took it: of 32 that open at once, one worker may
hold them all while the next core idles. A worker with more than its share of the busy connections therefore closes some after
their answer, which HTTP clients take as a matter of course; the next connection goes to whichever worker is idle enough to
accept it.
"""

import math
import os
from pathlib import Path
from time import monotonic, time
from typing import Final

TICK_SECONDS: Final = 0.1
BUSY_SECONDS: Final = 1.0  # a connection without a request for longer does not count
SLACK: Final = 0.1  # of the mean

Client = tuple[str, int]


class Balance:
    """The busy connections of this worker, told to the others through a file each in a folder they share."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"connections_{os.getpid()}.count"
        self._file.write_text("0")
        self._seen: dict[Client, float] = {}
        self._tick = 0.0
        self._surplus = 0

    def lets_go(self, client: Client) -> bool:
        """Whether the connection of ``client``, whose request is answered now, should be closed."""
        now = monotonic()
        self._seen[client] = now
        if now - self._tick > TICK_SECONDS:
            self._tick = now
            self._seen = {client: seen for client, seen in self._seen.items() if now - seen < BUSY_SECONDS}
            self._surplus = surplus(len(self._seen), self._exchange())
        if self._surplus <= 0:
            return False
        self._surplus -= 1
        del self._seen[client]
        return True

    def _exchange(self) -> list[int]:
        """Tell the others how many busy connections there are here, and hear how many there are there."""
        self._file.write_text(str(len(self._seen)))
        return [count for file in self._file.parent.glob("connections_*.count") if (count := _read(file)) is not None]


def surplus(mine: int, everyones: list[int]) -> int:
    """How many connections to close now: half of what is over the mean, so that workers do not throw them at each other."""
    mean = sum(everyones) / max(1, len(everyones))
    over = mine - mean
    return math.ceil(over / 2) if over >= max(1, SLACK * mean) else 0


def _read(file: Path) -> int | None:
    """The count of a worker; 0 when it has long had nothing to tell, None when it is dead."""
    try:
        os.kill(int(file.stem.partition("_")[2]), 0)
        return int(file.read_text()) if time() - file.stat().st_mtime < BUSY_SECONDS else 0
    except (OSError, ValueError):  # dead, or its file is being written or removed
        return None
