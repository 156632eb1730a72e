"""What each stage costs on this machine, without HTTP, as times and as ratios to the decode: ``make bench``.

Run it on an idle machine: a figure taken while something else runs is no figure.
"""

import io
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from time import perf_counter
from typing import Final

import numpy as np
from PIL import Image

from loadtests.samples import samples
from models.card import MODEL_FILE
from models.store import CATALOGUE
from preprocessing import decode, preprocess
from serving.runner import Runner
from serving.startup import checked_cards

ROUNDS: Final = 5
CALLS: Final = 400
MAX_PIXELS: Final = 16_777_216
READY_SECONDS: Final = 60.0


def microseconds(call: Callable[[], object], calls: int = CALLS) -> float:
    """Median over rounds of the mean time of a call."""
    call()
    means = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for _ in range(calls):
            call()
        means.append((perf_counter() - started) / calls * 1e6)
    return statistics.median(means)


def photo(side: int = 4000) -> bytes:
    """A 12-megapixel JPEG of a digit on paper under uneven light."""
    digit = Image.open(io.BytesIO(samples()[0].data)).getchannel("A").resize((side * 3 // 4, side * 3 // 4))
    light = np.linspace(150, 250, side, dtype=np.float32)[None, :].repeat(side * 3 // 4, axis=0)
    page = Image.fromarray(light.astype(np.uint8))
    page.paste(30, (side // 8, 0), digit)
    buffer = io.BytesIO()
    page.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def stage_rows() -> list[tuple[str, float, float]]:
    """Rows of (what, microseconds, ratio to its decode)."""
    card = checked_cards()["digits"]
    runner = Runner(CATALOGUE / card.name / MODEL_FILE, card, "cpu", threads=1)
    rows = []
    for name, data, calls in (("canvas 280x280", samples()[0].data, CALLS), ("photo 12 MP", photo(), 3)):
        image = decode(data, max_pixels=MAX_PIXELS)
        decoding = microseconds(lambda data=data: decode(data, max_pixels=MAX_PIXELS), calls)  # type: ignore[misc]
        preparing = microseconds(lambda image=image: preprocess(image, card.input), calls)  # type: ignore[misc]
        rows += [(f"{name}: decode", decoding, 1.0), (f"{name}: preprocess", preparing, preparing / decoding)]
    canvas = rows[0][1]
    for n in (1, 8, 32):
        batch = np.random.default_rng(0).random((n, 1, 28, 28), dtype=np.float32)
        each = microseconds(lambda batch=batch: runner.run(batch)) / n  # type: ignore[misc]
        rows.append((f"inference, batch {n}: an image", each, each / canvas))
    return rows


def seconds_to_ready() -> float:
    """Seconds from starting `bentoml serve` to the first 200 of /readyz."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bentoml", "serve", "service:ImageClassifier"],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while perf_counter() - started < READY_SECONDS:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                    return perf_counter() - started
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise TimeoutError(f"not ready within {READY_SECONDS:g} s")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Print the table."""
    write = sys.stdout.write
    write(f"{'stage, one thread':36} {'microseconds':>12} {'to decode':>10}\n")
    for name, duration, ratio in stage_rows():
        write(f"{name:36} {duration:12.0f} {ratio:10.2f}\n")
    write(f"\nservice start to ready: {seconds_to_ready():.1f} s\n")


if __name__ == "__main__":
    main()
