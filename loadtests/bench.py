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
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

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


def canvas(paper: tuple[int, int, int, int]) -> bytes:
    """A seven on a 280x280 RGBA canvas, as the page sends it: a PNG."""
    image = Image.new("RGBA", (280, 280), paper)
    ImageDraw.Draw(image).line([(80, 60), (200, 60), (130, 220)], fill=(0, 0, 0, 255), width=20, joint="curve")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def photo(side: int = 4000) -> bytes:
    """A 12-megapixel JPEG of a digit on paper under uneven light, with the grain of a sensor."""
    digit = Image.open(io.BytesIO(samples()[0].data)).getchannel("A").resize((side * 3 // 4, side * 3 // 4))
    light = np.linspace(150, 240, side, dtype=np.float32)[None, :].repeat(side * 3 // 4, axis=0)
    grain = np.tile(np.random.default_rng(0).normal(0, 5, (side // 8, side // 8)), (6, 8))
    page = Image.fromarray((light + grain).astype(np.uint8))
    page.paste(30, (side // 8, 0), digit)
    buffer = io.BytesIO()
    page.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def stage_rows() -> list[tuple[str, float, float]]:
    """Rows of (what, microseconds, ratio to its decode)."""
    card = checked_cards()["digits"]
    runner = Runner(CATALOGUE / card.name / MODEL_FILE, card, "cpu", threads=1)
    rows = []
    pictures = (
        ("transparent canvas 280x280", canvas((0, 0, 0, 0)), CALLS),
        ("white canvas 280x280", canvas((255, 255, 255, 255)), CALLS),
        ("photo of 12 megapixels", photo(), 3),
    )
    for name, data, calls in pictures:
        image = decode(data, max_pixels=MAX_PIXELS)
        decoding = microseconds(partial(decode, data, max_pixels=MAX_PIXELS), calls)
        preparing = microseconds(partial(preprocess, image, card.input), calls)
        rows += [(f"{name}: decode", decoding, 1.0), (f"{name}: preprocess", preparing, preparing / decoding)]
    canvas_decode = rows[0][1]
    for n in (1, 8, 32):
        batch = np.random.default_rng(0).random((n, 1, 28, 28), dtype=np.float32)
        each = microseconds(partial(runner.run, batch)) / n
        rows.append((f"inference, batch {n}: an image", each, each / canvas_decode))
    return rows


def photo_megabytes() -> float:
    """How far decoding and preprocessing a photo raises the resident memory of this process at its peak, in MB (Linux)."""
    data, spec = photo(), checked_cards()["digits"].input
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is resident now
    before = resident_megabytes("VmRSS")
    preprocess(decode(data, max_pixels=MAX_PIXELS), spec)
    return resident_megabytes("VmHWM") - before


def resident_megabytes(field: str) -> float:
    """A field of /proc/self/status in MB: ``VmRSS`` is resident now, ``VmHWM`` was at the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


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
    write(f"{'stage, one thread':40} {'microseconds':>12} {'to decode':>10}\n")
    for name, duration, ratio in stage_rows():
        write(f"{name:40} {duration:12.0f} {ratio:10.2f}\n")
    write(f"\npeak memory of a 12-megapixel photo: {photo_megabytes():.1f} MB more\n")
    write(f"service start to ready: {seconds_to_ready():.1f} s\n")


if __name__ == "__main__":
    main()
