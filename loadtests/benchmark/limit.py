"""The upper limit for any server: decoding, preprocessing and inference in two processes, without HTTP."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier
from time import perf_counter
from typing import Final

import numpy as np

from loadtests.images import load_images
from loadtests.sessions import DIGITS, digits_card, open_run, prepare

PROCESSES: Final = 2
BATCH: Final = 32
CELLS: Final = (("canvas", 1), ("small", 1), ("small", BATCH))

_start: Barrier


def limit(image: str, batch: int, seconds: float) -> float:
    """Images/s of all processes together; each repeatedly prepares ``batch`` images and runs the model on them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, _set_start, (context.Barrier(PROCESSES),)) as pool:
        return sum(pool.map(partial(_rate, image, batch), [seconds] * PROCESSES))


def call_rate(call: Callable[[], object], seconds: float) -> tuple[int, float]:
    """Call a function for ``seconds``, at least once; returns the number of calls and calls/s."""
    started, calls, passed = perf_counter(), 0, 0.0
    while not calls or passed < seconds:
        call()
        calls, passed = calls + 1, perf_counter() - started
    return calls, calls / passed


def _set_start(start: Barrier) -> None:
    global _start
    _start = start


def _rate(image: str, batch: int, seconds: float) -> float:
    data, card = load_images()[image].data, digits_card()
    run = open_run(DIGITS, "cpu", threads=1)

    def call() -> None:
        run(np.stack([prepare(data, card) for _ in range(batch)]))

    call()
    _start.wait()
    return batch * call_rate(call, seconds)[1]
