"""``python -m loadtests.bulk_speed FOLDER``: the rate of deploy.bulk on a folder, and what it could be at most.

Without Ray, as many processes each classify their part of the files: once as the service does, with its preprocessing and
sessions, and once with the classes of deploy.bulk, which are what it could reach if Ray cost nothing. Their start is not
counted, that of deploy.bulk is. They alternate: read the ratios.
"""

import argparse
import asyncio
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
import pyarrow as pa

from deploy.bulk.classifier import BatchClassifier, Job
from deploy.bulk.files import FolderInput
from deploy.bulk.models import find_model, open_model
from serving.inference.cancellation import CancellationToken
from serving.settings import Settings, available_cpus

Prepare = Callable[[str, FolderInput, pa.Table], Callable[[], None]]

BATCH: Final = 256
DEADLINE: Final = 1e9


def without_ray(prepare: Prepare, folder: Path, model: str, processes: int) -> float:
    """Images per second of ``processes`` processes, each with its own sessions, from when all have opened them."""
    context = multiprocessing.get_context("spawn")
    barrier, times = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_measure, args=(prepare, folder, model, number, processes, barrier, times))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    measured: list[tuple[int, float]] = [times.get() for _ in workers]
    for worker in workers:
        worker.join()
    return sum(count for count, _ in measured) / max(seconds for _, seconds in measured)


def with_ray(folder: Path, count: int, model: str, workers: int) -> tuple[float, str]:
    """Images per second of the whole command, its start included, and the line with its own figure."""
    with tempfile.TemporaryDirectory() as output:
        command = [
            sys.executable,
            "-m",
            "deploy.bulk",
            str(folder),
            f"{output}/out",
            "--model",
            model,
            "--workers",
            str(workers),
        ]
        started = perf_counter()
        ended = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
        seconds = perf_counter() - started
    (line,) = [line for line in ended.stderr.splitlines() if line.endswith("images/s.")]
    return count / seconds, line


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both rates and their ratio, once for each round."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bulk_speed", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--workers", type=int, default=available_cpus())
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args(arguments)
    count = len(FolderInput(options.folder).listing())
    for _ in range(options.rounds):
        service = without_ray(_as_the_service, options.folder, options.model, options.workers)
        classes = without_ray(_as_a_worker, options.folder, options.model, options.workers)
        bulk, line = with_ray(options.folder, count, options.model, options.workers)
        sys.stdout.write(
            f"{count:,} pictures, {options.workers} processes: the service's classes {service:,.0f}/s, those of deploy.bulk "
            f"{classes:,.0f}/s, its whole command {bulk:,.0f}/s: ratios {bulk / service:.2f} and {bulk / classes:.2f}. "
            f"Its own figure: {line}\n"
        )
        sys.stdout.flush()
    return 0


def _measure(
    prepare: Prepare, folder: Path, model: str, number: int, processes: int, barrier: Barrier, times: "Queue[tuple[int, float]]"
) -> None:
    """Classify every ``processes``-th picture from ``number`` on; puts their number and the seconds that it took."""
    pictures = FolderInput(folder)
    listing = pictures.listing()
    part = listing.take(np.arange(number, len(listing), processes))
    classify = prepare(model, pictures, part)
    barrier.wait()
    started = perf_counter()
    classify()
    times.put((len(part), perf_counter() - started))


def _as_the_service(model: str, pictures: FolderInput, part: pa.Table) -> Callable[[], None]:
    settings = Settings(device="cpu", max_queue=BATCH)
    opened = open_model(find_model(model, settings), settings)
    files = [pictures.folder / path for path in part["name"].to_pylist()]

    async def run() -> None:
        token = CancellationToken(perf_counter() + DEADLINE)
        for start in range(0, len(files), BATCH):
            await opened.predict([file.read_bytes() for file in files[start : start + BATCH]], "cpu", token)

    return lambda: asyncio.run(run())


def _as_a_worker(model: str, pictures: FolderInput, part: pa.Table) -> Callable[[], None]:
    settings = Settings(device="cpu")
    worker = BatchClassifier(Job(find_model(model, settings), pictures, settings.limits, settings.max_characters))

    def run() -> None:
        for start in range(0, len(part), BATCH):
            worker(part.slice(start, BATCH))

    return run


if __name__ == "__main__":
    sys.exit(main())
