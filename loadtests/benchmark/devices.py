"""Images/s by batch size on every device that has a working session: ``python -m loadtests.benchmark devices``."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from loadtests.benchmark.limit import call_rate
from loadtests.benchmark.networks import write_large
from loadtests.benchmark.results import DeviceRate
from loadtests.sessions import DIGITS, Run, open_devices
from serving.settings import available_cpus

BATCHES: Final = tuple(2**power for power in range(11))
MEASURED_SECONDS: Final = 1.0
# A batch size of which one call would take longer is left out.
MAX_CALL_SECONDS: Final = 2.0


def run_devices(seconds: float = MEASURED_SECONDS) -> list[DeviceRate]:
    """Measure the digit model and the large network on every device, at every batch size that is fast enough."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.onnx"
        write_large(large)
        return [
            DeviceRate(
                model=name, parameters=count_parameters(path), device=device, batch=batch, calls=calls, images_per_second=rate
            )
            for name, path in (("digits", DIGITS), ("large", large))
            for device, run in open_devices(path, threads=available_cpus()).items()
            for batch, calls, rate in sweep(run, seconds)
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
