"""Images/s without HTTP: the upper limit for any server, and images/s by device and batch size."""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
import onnx

from loadtests.benchmark.networks import write_large
from loadtests.benchmark.results import Figure
from loadtests.images import load_images
from loadtests.sessions import DIGITS, Run, digits_card, open_devices, open_run, prepare
from serving.settings import available_cpus

# The limit: processes, and (image, batch size) of each measurement.
PROCESSES: Final = 2
LIMIT_BATCH: Final = 32
LIMITS: Final = (("canvas", 1), ("small", 1), ("small", LIMIT_BATCH))
# Devices: batch sizes and the duration of each measurement. A batch size of which one call would take too long is left out.
BATCHES: Final = tuple(2**power for power in range(11))
DEVICE_SECONDS: Final = 1.0
MAX_CALL_SECONDS: Final = 2.0

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


def run_devices(seconds: float = DEVICE_SECONDS) -> list[Figure]:
    """Measure the digit model and the large network on every device, at every batch size that is fast enough."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.onnx"
        write_large(large)
        return [
            Figure(name=f"{name} ({size / 1e6:.3g} M parameters), {device}", value=rate, unit="images/s", batch=batch)
            for name, path in (("digits", DIGITS), ("large", large))
            for size in (count_parameters(path),)
            for device, run in open_devices(path, threads=available_cpus()).items()
            for batch, _, rate in sweep(run, seconds)
        ]


def count_parameters(path: Path) -> int:
    """Count the parameters of an ONNX file."""
    return sum(int(np.prod(weight.dims)) for weight in onnx.load(path).graph.initializer)


def sweep(run: Run, seconds: float, max_call_seconds: float = MAX_CALL_SECONDS) -> Iterator[tuple[int, int, float]]:
    """Yield (batch, calls, images/s); ends where one more doubling would make a call longer than ``max_call_seconds``."""
    rng = np.random.default_rng(0)
    for batch in BATCHES:
        images = rng.random((batch, 1, 28, 28), dtype=np.float32)
        run(images)  # the first call of a shape allocates
        calls, rate = call_rate(partial(run, images), seconds)
        yield batch, calls, batch * rate
        if 2 / rate > max_call_seconds:
            return


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
