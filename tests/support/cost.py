"""CPU time of an operation as a multiple of a reference in the same run, so that the speed of the machine does not matter."""

import struct
import time
from collections.abc import Callable
from typing import Final

HEADERS: Final = struct.pack(">I4s", 0, b"junk") * 10_000
ROUNDS: Final = 3


def relative_cost(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The CPU time of ``work``, where reading 10,000 chunk headers in a loop takes 1; the least of several rounds."""
    before = min(_thread_seconds(_read_headers) for _ in range(ROUNDS))
    cost = min(_thread_seconds(work) for _ in range(rounds))
    return cost / min(before, *(_thread_seconds(_read_headers) for _ in range(ROUNDS)))


def _read_headers() -> None:
    at = 0
    while at < len(HEADERS):
        length, _ = struct.unpack_from(">I4s", HEADERS, at)
        at += 8 + length


def _thread_seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
