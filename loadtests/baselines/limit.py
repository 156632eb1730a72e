"""The limit that no server can pass: decoding, preprocessing and inference in two processes, without HTTP."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier
from time import perf_counter
from typing import Final

import numpy as np

from loadtests.bench.pictures import pictures
from loadtests.sessions import DIGITS, digits_card, open_run, prepare

PROCESSES: Final = 2
BATCH: Final = 32
CELLS: Final = (("canvas", 1), ("small", 1), ("small", BATCH))

_start: Barrier


def limit(picture: str, batch: int, seconds: float) -> float:
    """Images/s of all processes together; every one prepares ``batch`` pictures and runs the model on them, over and over."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, _share, (context.Barrier(PROCESSES),)) as pool:
        return sum(pool.map(partial(_rate, picture, batch), [seconds] * PROCESSES))


def rate(step: Callable[[], object], images: int, seconds: float) -> float:
    """Images/s of a step that takes ``images`` of them, repeated for ``seconds``."""
    started, steps, passed = perf_counter(), 0, 0.0
    while not steps or passed < seconds:
        step()
        steps, passed = steps + 1, perf_counter() - started
    return steps * images / passed


def _share(start: Barrier) -> None:
    global _start
    _start = start


def _rate(picture: str, batch: int, seconds: float) -> float:
    data, card = pictures()[picture].data, digits_card()
    run = open_run(DIGITS, "cpu", threads=1)

    def step() -> None:
        run(np.stack([prepare(data, card) for _ in range(batch)]))

    step()
    _start.wait()
    return rate(step, batch, seconds)
