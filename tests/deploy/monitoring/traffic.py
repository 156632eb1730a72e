"""Clients that post pictures at a steady rate until they are stopped, whatever happens to the service."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import httpx

CLIENTS: Final = 8
TIMEOUT_SECONDS: Final = 15.0


class Traffic:
    """``rate`` requests a second from ``CLIENTS`` connections; ``pictures`` may be replaced meanwhile."""

    def __init__(self, address: str, pictures: Sequence[bytes], rate: float) -> None:
        self.pictures = pictures
        self.statuses: Counter[int] = Counter()
        self._address = address
        self._pause = CLIENTS / rate
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(seed,)) for seed in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the clients after their requests."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _send(self, seed: int) -> None:
        choice = random.Random(seed)
        due = time.monotonic() + choice.random() * self._pause
        with httpx.Client(base_url=self._address, timeout=TIMEOUT_SECONDS) as client:
            while not self._done.wait(max(0.0, due - time.monotonic())):
                due = max(due, time.monotonic() - self._pause) + self._pause
                try:
                    status = client.post("/classify", content=choice.choice(self.pictures)).status_code
                except httpx.TransportError:
                    status = 0
                self.statuses[status] += 1


@contextmanager
def traffic(address: str, pictures: Sequence[bytes], rate: float) -> Iterator[Traffic]:
    """Such clients until the block ends."""
    clients = Traffic(address, pictures, rate)
    try:
        yield clients
    finally:
        clients.stop()
