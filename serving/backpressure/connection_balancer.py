"""Balances keep-alive connections over the workers, by closing some in workers that have too many.

All workers accept from one socket, and a connection stays with the worker that accepted it: of 32 that open at once, one worker
may hold all while the next core idles. A worker with more than its share of the busy connections therefore closes some after
their response, which HTTP clients handle; the next connection goes to whichever worker is idle enough to accept it.
"""

import math
from pathlib import Path
from time import monotonic  # the same clock in all processes of a machine
from typing import Final

from serving.process.shared_counters import SharedCounters
from serving.process.workers import WorkerTable, worker_slots

FILE: Final = "connections"
TICK_SECONDS: Final = 0.1
BUSY_SECONDS: Final = 1.0  # a connection without a request for longer does not count
LIVENESS_SECONDS: Final = 1.0  # between two checks of which workers live
SLACK: Final = 0.1  # of the mean
_SECOND: Final = 1_000_000_000

Client = tuple[str, int]


class ConnectionBalancer:
    """Compares the busy connections of this worker with those of the other live workers of ``table``."""

    def __init__(self, folder: Path, table: WorkerTable, workers: int) -> None:
        slots = worker_slots(workers)
        self._table = table
        self._counts = SharedCounters.shared(folder / f"{FILE}.counts", slots, table.slot)
        self._updated = SharedCounters.shared(folder / f"{FILE}.updated", slots, table.slot)
        self._seen: dict[Client, float] = {}
        self._tick = 0.0
        self._surplus = 0
        self._living: list[int] = []
        self._looked = -math.inf

    def should_close(self, client: Client) -> bool:
        """Whether to close the connection of ``client`` after the response that is sent now."""
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
        """Publish the busy connections of this worker, and read those of each live worker; a worker without recent requests has
        none."""
        self._counts.own = len(self._seen)
        self._updated.own = int(now * _SECOND)
        if now - self._looked > LIVENESS_SECONDS:
            self._looked, self._living = now, self._table.living()
        since = (now - BUSY_SECONDS) * _SECOND
        return [self._counts.of(slot) if self._updated.of(slot) > since else 0 for slot in self._living]


def surplus(own: int, counts: list[int]) -> int:
    """How many connections to close now: half of those over the mean, so that workers do not pass them back and forth."""
    mean = sum(counts) / max(1, len(counts))
    over = own - mean
    return math.ceil(over / 2) if over >= max(1, SLACK * mean) else 0
