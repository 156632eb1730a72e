"""What each stage of the service costs, without HTTP: ``python -m loadtests.bench stages``."""

import multiprocessing
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx
import numpy as np

from loadtests.bench.contestants import CONTESTANTS, ask, serving
from loadtests.bench.pictures import canvas, form, photo, small
from loadtests.bench.results import Stage
from loadtests.sessions import DIGITS, digits_card, open_run, prepare
from preprocessing import decode, preprocess

ROUNDS: Final = 5
CALLS: Final = 400
PHOTO_CALLS: Final = 3
BATCHES: Final = (1, 8, 32)
START: Final = "start of the service to its first right answer"
MEMORY: Final = "memory of its largest process"


def run_stages(home: Path) -> list[Stage]:
    """Times on one thread, the memory of a photo, and the start of the service."""
    return [
        *stage_times(),
        Stage(name="photo of 12 megapixels: memory at the peak", value=photo_megabytes(), unit="MB"),
        *start_of_service(home),
    ]


def stage_times(calls: int = CALLS, photo_calls: int = PHOTO_CALLS) -> list[Stage]:
    """Decoding, preprocessing and inference, in microseconds an image."""
    spec = digits_card().input
    stages = []
    for name, data, count in (
        ("transparent canvas 280x280", canvas(), calls),
        ("white canvas 280x280", canvas((255, 255, 255, 255)), calls),
        ("grey 16x16", small(), calls),
        ("photo of 12 megapixels", photo(), photo_calls),
    ):
        image = decode(data)
        decoding = microseconds(partial(decode, data), count)
        preparing = microseconds(partial(preprocess, image, spec), count)
        stages += [(f"{name}: decode", decoding), (f"{name}: preprocess", preparing)]
    run = open_run(DIGITS, "cpu", threads=1)
    for n in BATCHES:
        batch = np.random.default_rng(0).random((n, 1, 28, 28), dtype=np.float32)
        stages.append((f"inference in batches of {n}, an image", microseconds(partial(run, batch), calls) / n))
    return [Stage(name=name, value=value, unit="µs") for name, value in stages]


def microseconds(call: Callable[[], object], calls: int) -> float:
    """Median over rounds of the mean time of a call."""
    call()
    means = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for _ in range(calls):
            call()
        means.append((perf_counter() - started) / calls * 1e6)
    return statistics.median(means)


def photo_megabytes() -> float:
    """How far decoding and preprocessing a photo raises the resident memory of a new process at its peak, in MB (Linux)."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(megabytes, photo()).result()


def megabytes(data: bytes) -> float:
    """How far decoding and preprocessing a picture raises the resident memory of this process at its peak."""
    card = digits_card()
    prepare(canvas(), card)  # what any first picture loads is not counted
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is resident now
    before = resident_megabytes("VmRSS")
    prepare(data, card)
    return resident_megabytes("VmHWM") - before


def resident_megabytes(field: str) -> float:
    """A field of /proc/self/status in MB: ``VmRSS`` is resident now, ``VmHWM`` was at the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def start_of_service(home: Path) -> list[Stage]:
    """Seconds from starting the service with all its models to its first right answer, and the memory of its largest process
    once every model was asked ``CALLS`` times, each time over a connection of its own, so that all workers are."""
    with serving(CONTESTANTS["embedded"], home) as server:
        for model in httpx.get(f"{server.address}/models").json()["models"]:
            for _ in range(CALLS):
                ask(f"{server.address}/classify?model={model['name']}", form([canvas((255, 255, 255, 255))]))
        return [
            Stage(name=START, value=server.start_seconds, unit="s"),
            Stage(name=MEMORY, value=server.largest_megabytes(), unit="MB"),
        ]
