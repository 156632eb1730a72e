"""Images/s against the batch size, for every device that has a working session: ``python -m loadtests.bench devices``."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
import onnx

from loadtests.bench.network import write_network
from loadtests.bench.results import Cell
from loadtests.sessions import DIGITS, Run, open_devices
from serving.settings import available_cpus

BATCHES: Final = tuple(2**power for power in range(11))
CELL_SECONDS: Final = 1.0
# A batch size of which one call would take longer than this is left out.
CALL_SECONDS: Final = 2.0


def run_devices(seconds: float = CELL_SECONDS) -> list[Cell]:
    """Both models on every device, at every batch size that the device takes in time."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.onnx"
        networks = {"digits": (DIGITS, count_parameters(DIGITS)), "large": (large, write_network(large))}
        return [
            Cell(model=name, parameters=parameters, device=device, batch=batch, calls=calls, images_per_second=rate)
            for name, (path, parameters) in networks.items()
            for device, run in open_devices(path, threads=available_cpus()).items()
            for batch, calls, rate in sweep(run, seconds)
        ]


def count_parameters(path: Path) -> int:
    """Parameters of an ONNX file."""
    return sum(int(np.prod(weight.dims)) for weight in onnx.load(path).graph.initializer)


def sweep(run: Run, seconds: float, call_seconds: float = CALL_SECONDS) -> Iterator[tuple[int, int, float]]:
    """Rows of (batch, calls, images/s); ends where one more doubling would take a call past ``call_seconds``."""
    hand = np.random.default_rng(0)
    for batch in BATCHES:
        images = hand.random((batch, 1, 28, 28), dtype=np.float32)
        run(images)  # the first call of a shape allocates
        started, calls, passed = perf_counter(), 0, 0.0
        while not calls or passed < seconds:
            run(images)
            calls, passed = calls + 1, perf_counter() - started
        yield batch, calls, batch * calls / passed
        if 2 * passed / calls > call_seconds:
            return
