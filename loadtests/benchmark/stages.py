"""Cost of each stage of the service without HTTP: ``python -m loadtests.benchmark stages``."""

import gc
import multiprocessing
import statistics
import timeit
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import numpy as np

from loadtests.benchmark.results import Figure
from loadtests.http_client import encode_form
from loadtests.images import WHITE, canvas, photo, small
from loadtests.processes import SERVERS, post_form, read_status, start_server
from loadtests.sessions import DIGITS, digits_card, open_run, prepare
from preprocessing import decode, preprocess

ROUNDS: Final = 5
CALLS: Final = 400
PHOTO_CALLS: Final = 3
BATCHES: Final = (1, 8, 32)
START: Final = "start of the service to its first right answer"
MEMORY: Final = "memory of its largest process"


def run_stages(home: Path) -> list[Figure]:
    """Measure times on one thread, the memory of a photo, and the start of the service."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        memory = process.submit(peak_megabytes, photo()).result()
    return [
        *stage_times(),
        Figure(name="photo of 12 megapixels: memory at the peak", value=memory, unit="MB"),
        *start_of_service(home),
    ]


def stage_times(calls: int = CALLS, photo_calls: int = PHOTO_CALLS) -> list[Figure]:
    """Measure decoding, preprocessing and inference in microseconds an image."""
    spec = digits_card().input
    stages = []
    for name, data, count in (
        ("transparent canvas 280x280", canvas(), calls),
        ("white canvas 280x280", canvas(WHITE), calls),
        ("grey 16x16", small(), calls),
        ("photo of 12 megapixels", photo(), photo_calls),
    ):
        stages.append((f"{name}: decode", microseconds(partial(decode, data), count)))
        stages.append((f"{name}: preprocess", microseconds(partial(preprocess, decode(data), spec), count)))
    run = open_run(DIGITS, "cpu", threads=1)
    for n in BATCHES:
        batch = np.random.default_rng(0).random((n, 1, 28, 28), dtype=np.float32)
        stages.append((f"inference in batches of {n}, an image", microseconds(partial(run, batch), calls) / n))
    return [Figure(name=name, value=value, unit="µs") for name, value in stages]


def microseconds(call: Callable[[], object], calls: int) -> float:
    """Median over rounds of the mean time of a call."""
    call()
    return statistics.median(timeit.repeat(call, gc.enable, repeat=ROUNDS, number=calls)) / calls * 1e6


def peak_megabytes(data: bytes) -> float:
    """How much decoding and preprocessing an image raises the peak of this process's resident memory, in MB (Linux)."""
    card = digits_card()
    prepare(canvas(), card)  # what the first image loads is not counted
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is resident now
    before = read_status()["VmRSS"]
    prepare(data, card)
    return (read_status()["VmHWM"] - before) / 1024


def start_of_service(home: Path) -> list[Figure]:
    """Measure the seconds from the start with all models to the first right answer, and the memory of the largest process.

    Memory is read after ``CALLS`` requests for every model, each over a new connection, so that they reach all workers.
    """
    form = encode_form([canvas(WHITE)])
    with start_server(SERVERS["embedded"], home) as server:
        for model in httpx.get(f"{server.address}/models").json()["models"]:
            for _ in range(CALLS):
                post_form(f"{server.address}/classify?model={model['name']}", form)
        return [
            Figure(name=START, value=server.start_seconds, unit="s"),
            Figure(name=MEMORY, value=server.sample().largest_mb, unit="MB"),
        ]
