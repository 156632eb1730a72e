"""Measurements without HTTP, with the service's own code: the cost of each stage, and images/s by device and batch size."""

import gc
import multiprocessing
import statistics
import tempfile
import timeit
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx
import numpy as np
import onnx
from PIL import Image

from loadtests.benchmark.networks import write_large
from loadtests.benchmark.results import Figure
from loadtests.http_client import encode_form
from loadtests.images import WHITE, canvas, colour_pictures, load_images, photo, small
from loadtests.processes import SERVERS, post_form, start_server
from loadtests.resources import read_status
from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.store import CATALOGUE
from preprocessing import InputSpec, Normalisation, PhotoGeometry, Tensor, decode, preprocess
from serving.inference.sessions import DEVICES, DeviceUnavailable, Session
from serving.settings import available_cpus

Run = Callable[[Tensor], Tensor]

DIGITS: Final = CATALOGUE / "digits" / MODEL_FILE
STATISTICS: Final = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
ROUNDS: Final = 5
CALLS: Final = 400
PHOTO_CALLS: Final = 3
PHOTO_PREPROCESS: Final = "colour 224x224 for a model of 224x224: preprocess"
START: Final = "start of the service to its first right answer"
MEMORY: Final = "memory of its largest process"
# The limit: processes, and (image, batch size) of each measurement.
PROCESSES: Final = 2
LIMIT_BATCH: Final = 32
LIMITS: Final = (("canvas", 1), ("small", 1), ("small", LIMIT_BATCH))
# Devices: batch sizes and the duration of each measurement. A batch size of which one call would take too long is left out.
BATCHES: Final = tuple(2**power for power in range(11))
DEVICE_SECONDS: Final = 1.0
MAX_CALL_SECONDS: Final = 2.0

_start: Barrier


def digits_card() -> ModelCard:
    """Read the card of the digit model."""
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card


def open_run(path: Path, device: str, threads: int) -> Run:
    """Open a model on a device; returns a function from float32[N,C,H,W] to logits float32[N,K].

    Raises:
        DeviceUnavailable: no session works on the device.
    """
    return Session(path, DEVICES[device], threads).run


def open_devices(path: Path, threads: int) -> dict[str, Run]:
    """Open a model on every device that has a working session."""
    runs: dict[str, Run] = {}
    for device in DEVICES:
        with suppress(DeviceUnavailable):
            runs[device] = open_run(path, device, threads)
    return runs


def prepare(data: bytes, card: ModelCard) -> Tensor:
    """Decode and preprocess an encoded image to float32[C,H,W], as the service does."""
    return preprocess(decode(data), card.input)


def limit(image: str, batch: int, seconds: float) -> float:
    """Images/s of all processes together; each repeatedly prepares ``batch`` images and runs the model on them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, _set_start, (context.Barrier(PROCESSES),)) as pool:
        return sum(pool.map(partial(_rate, image, batch), [seconds] * PROCESSES))


def call_rate(call: Callable[[], object], seconds: float) -> float:
    """Call a function for ``seconds``, at least once; returns calls/s."""
    started, calls, passed = perf_counter(), 0, 0.0
    while not calls or passed < seconds:
        call()
        calls, passed = calls + 1, perf_counter() - started
    return calls / passed


def random_batch(size: int) -> Tensor:
    """Random images float32[N,1,28,28]."""
    return np.random.default_rng(0).random((size, 1, 28, 28), dtype=np.float32)


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
            for batch, rate in sweep(run, seconds)
        ]


def count_parameters(path: Path) -> int:
    """Count the parameters of an ONNX file."""
    return sum(int(np.prod(weight.dims)) for weight in onnx.load(path).graph.initializer)


def sweep(run: Run, seconds: float, max_call_seconds: float = MAX_CALL_SECONDS) -> Iterator[tuple[int, float]]:
    """Yield (batch, images/s); ends where one more doubling would make a call longer than ``max_call_seconds``."""
    for batch in BATCHES:
        images = random_batch(batch)
        run(images)  # the first call of a shape allocates
        rate = call_rate(partial(run, images), seconds)
        yield batch, batch * rate
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
    return batch * call_rate(call, seconds)


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
    figures = {}
    for name, data, count in (
        ("transparent canvas 280x280", canvas(), calls),
        ("white canvas 280x280", canvas(WHITE), calls),
        ("grey 16x16", small(), calls),
        ("photo of 12 megapixels", photo(), photo_calls),
    ):
        figures[f"{name}: decode"] = microseconds(partial(decode, data), count)
        figures[f"{name}: preprocess"] = microseconds(partial(preprocess, decode(data), spec), count)
    figures |= photo_times(calls)
    run = open_run(DIGITS, "cpu", threads=1)
    for size in (1, 8, 32):
        figures[f"inference in batches of {size}, an image"] = microseconds(partial(run, random_batch(size)), calls) / size
    return [Figure(name=name, value=value, unit="µs") for name, value in figures.items()]


def photo_times(calls: int) -> dict[str, float]:
    """Microseconds of preprocessing colour pictures for a model of 224x224, and of Pillow's scaling in it."""
    spec = InputSpec(height=224, width=224, colour="RGB", geometry=PhotoGeometry(), normalisation=STATISTICS)
    same, large = (picture.convert("RGB") for picture in (colour_pictures()[0], colour_pictures()[2]))
    return {
        PHOTO_PREPROCESS: microseconds(partial(preprocess, same, spec), calls),
        "colour 640x480 for a model of 224x224: preprocess": microseconds(partial(preprocess, large, spec), calls),
        "colour 640x480 to 224x224: Pillow's bilinear scaling alone": microseconds(
            partial(large.resize, (224, 224), Image.Resampling.BILINEAR), calls
        ),
    }


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
