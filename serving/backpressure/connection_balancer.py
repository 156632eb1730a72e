"""Keep-alive connections spread over the workers.

All workers accept from one socket, and a connection stays with the worker that took it: of 32 that open at once, one worker may
hold them all while the next core idles. A worker with more than its share of the busy connections therefore closes some after
their answer, which HTTP clients take as a matter of course; the next connection goes to whichever worker is idle enough to
accept it.
"""

import math
from pathlib import Path
from time import monotonic  # the machine's: one clock for all its processes
from typing import Final

from serving.process.shared_counters import SharedCounters
from serving.process.workers import WorkerTable, worker_slots

FILE: Final = "connections"
TICK_SECONDS: Final = 0.1
BUSY_SECONDS: Final = 1.0  # a connection without a request for longer does not count
LIVING_SECONDS: Final = 1.0
SLACK: Final = 0.1  # of the mean
_SECOND: Final = 1_000_000_000

Client = tuple[str, int]


class ConnectionBalancer:
    """The busy connections of this worker, and how many the other living workers of ``table`` have."""

    def __init__(self, folder: Path, table: WorkerTable, workers: int) -> None:
        slots = worker_slots(workers)
        self._table = table
        self._counts = SharedCounters.shared(folder / f"{FILE}.counts", slots, table.slot)
        self._told = SharedCounters.shared(folder / f"{FILE}.told", slots, table.slot)
        self._seen: dict[Client, float] = {}
        self._tick = 0.0
        self._surplus = 0
        self._living: list[int] = []
        self._looked = -math.inf

    def should_close(self, client: Client) -> bool:
        """Whether the connection of ``client``, whose request is answered now, should be closed."""
        now = monotonic()
        self._seen[client] = now
        if now - self._tick > TICK_SECONDS:
            self._tick = now
            self._seen = {client: seen for client, seen in self._seen.items() if now - seen < BUSY_SECONDS}
            self._surplus = surplus(len(self._seen), self._exchange(now))
        if self._surplus <= 0:
            return False
        self._surplus -= 1
        del self._seen[client]
        return True

    def _exchange(self, now: float) -> list[int]:
        """Tell the others how many busy connections there are here, and read how many there are in each living worker: none in
        one that has had no request for long."""
        self._counts.own = len(self._seen)
        self._told.own = int(now * _SECOND)
        if now - self._looked > LIVING_SECONDS:
            self._looked, self._living = now, self._table.living()
        since = (now - BUSY_SECONDS) * _SECOND
        return [self._counts.of(slot) if self._told.of(slot) > since else 0 for slot in self._living]


def surplus(mine: int, everyones: list[int]) -> int:
    """How many connections to close now: half of what is over the mean, so that workers do not throw them at each other."""
    mean = sum(everyones) / max(1, len(everyones))
    over = mine - mean
    return math.ceil(over / 2) if over >= max(1, SLACK * mean) else 0
