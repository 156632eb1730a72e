"""One run of the command: lists the input, classifies what is not done yet, and writes the results."""

import dataclasses
import gc
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import Console

from deploy.bulk.classifier import RESULTS, Job
from deploy.bulk.errors import InputError, OutputError
from deploy.bulk.files import FolderInput, ZipInput
from deploy.bulk.inputs import PictureInput, batches, is_hidden
from deploy.bulk.models import find_model
from deploy.bulk.outputs import CSV_FILE, LOG_FILE, PARQUET_FILE, Output
from deploy.bulk.parquet import SUFFIX, ParquetInput
from deploy.bulk.progress import ProgressReport, output_to
from serving.settings import available_cpus
from serving.startup import load_settings

RAY_ENVIRONMENT: Final = {"RAY_USAGE_STATS_ENABLED": "0"}
LOCAL_RAY_ENVIRONMENT: Final = RAY_ENVIRONMENT | {
    # Where a Ray of several machines is not supported, Ray listens on 127.0.0.1 alone; by default it listens on every address.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Nothing reads what Ray would collect about itself; a tenth of the CPU time of its start, and some of every batch.
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_open_telemetry": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
}


@dataclass(frozen=True)
class Options:
    """The options of the command; sizes in bytes."""

    input: Path
    output: Path
    model: str
    image_column: str
    id_column: str | None
    batch_size: int
    batch_bytes: int
    workers: int | None
    address: str | None
    object_store: int


class Work(NamedTuple):
    """The pictures of an input, as ``LISTING``, and those of them that are not done."""

    listing: pa.Table
    remaining: pa.Table


def run(options: Options, console: Console) -> None:
    """Classify the pictures of an input into a folder, or finish what an earlier run began.

    Raises:
        InputError, OutputError, CardError: a path, an option or a model cannot be used.
        EngineError: Ray or a worker failed; what was classified is on disk.
    """
    started = monotonic()
    settings = load_settings()
    pictures = open_input(options)
    job = Job(find_model(options.model, settings), pictures, settings.limits, settings.max_characters)
    output = Output(options.output)
    with output.opened():
        work = None
        if output.begun:
            work = _claim(output, job, *_list(pictures))
            if output.finished:
                console.print(f"{options.output} is complete: {len(work.listing):,} pictures. Nothing to do.", soft_wrap=True)
                return
        if work is None or len(work.remaining):
            work = _classify(job, work, options, output, console)
        rows = output.finish(len(work.listing))
    _summarize(rows, len(work.remaining), monotonic() - started, options.output, console)


def open_input(options: Options) -> PictureInput:
    """The input at a path: a Parquet file or a folder of nothing else, a ZIP archive, or a folder of pictures.

    Raises:
        InputError: there is none.
        OutputError: the results would lie in it.
    """
    place = options.input.resolve()
    if place.is_file():
        if place.suffix == SUFFIX:
            return ParquetInput(place.parent, (place,), options.image_column, options.id_column)
        return ZipInput(place)
    if not place.is_dir():
        raise InputError(f"INPUT {options.input} does not exist. Give a folder, a ZIP archive or a Parquet file.")
    if options.output.resolve().is_relative_to(place):
        raise OutputError(f"OUTPUT {options.output} lies in INPUT, whose files would change with it. Give a folder elsewhere.")
    parquet = sorted(file for file in place.rglob(f"*{SUFFIX}") if not is_hidden(file.relative_to(place).as_posix()))
    others = (file for file in place.rglob("*") if not is_hidden(file.relative_to(place).as_posix()))
    if parquet and not any(file.is_file() and file.suffix != SUFFIX for file in others):
        return ParquetInput(place, tuple(parquet), options.image_column, options.id_column)
    return FolderInput(place)


def _list(pictures: PictureInput) -> tuple[pa.Table, str]:
    listing = pictures.listing()
    return listing, pictures.fingerprint(listing)


def _claim(output: Output, job: Job, listing: pa.Table, fingerprint: str) -> Work:
    limits = dataclasses.asdict(job.limits)
    if job.model.is_sequence:
        limits["max_characters"] = job.max_characters
    output.claim(
        {
            "model": job.model.name,
            "version": job.model.version,
            "sha256": job.model.sha256,
            "limits": limits,
            "columns": RESULTS.names,
            "input_fingerprint": fingerprint,
        }
    )
    return Work(listing, listing.filter(np.isin(listing["row"].to_numpy(), output.done_rows(), invert=True)))


def _classify(job: Job, work: Work | None, options: Options, output: Output, console: Console) -> Work:
    """Classify what is left of a run that was begun, or a new input, which is listed while Ray starts; gives what was to do."""
    # Ray reads the environment when it is imported: here, so that what cannot be used is refused before, and without a wait.
    os.environ |= RAY_ENVIRONMENT if options.address else LOCAL_RAY_ENVIRONMENT
    from deploy.bulk import engine

    if options.address:
        connection = engine.ray_cluster(options.address)
    else:
        scratch = engine.scratch_folder(options.output)
        connection = engine.local_ray(options.workers or available_cpus(), options.object_store, scratch)
    with output_to(options.output / LOG_FILE), ThreadPoolExecutor(1) as pool:
        # Only this thread imports pandas meanwhile: where two do, some libraries find it before it can be used.
        listed = pool.submit(_list, job.pictures) if work is None else None
        with connection as cpus:
            signal.signal(signal.SIGTERM, _interrupt)  # in place of Ray's, which would exit at once
            gc.enable()
            if listed is not None:
                work = _claim(output, job, *listed.result())
            assert work is not None
            done = len(work.listing) - len(work.remaining)
            if done:
                console.print(f"{done:,} pictures are done already; {len(work.remaining):,} are left.")
            progress = ProgressReport(console, len(work.listing), done)
            divided = batches(work.remaining, options.batch_size, options.batch_bytes)
            with progress.shown():
                for rows in engine.classify(divided, job, options.workers or cpus):
                    output.add(rows)
                    progress.add(rows)
    return work


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _summarize(rows: pa.Table, classified: int, seconds: float, folder: Path, console: Console) -> None:
    rejected = sum(rows["rejected"].drop_null().to_pylist())
    problems: Counter[Any] = Counter(rows["problem"].drop_null().to_pylist())
    counted = ", ".join(f"{count:,} {code}" for code, count in problems.most_common())
    found = f" ({counted})" if counted else ""
    lines = (
        f"{classified:,} pictures in {seconds:.1f} s: {classified / max(seconds, 1e-9):,.0f} images/s.",
        f"{len(rows):,} rows: {rejected:,} rejected, {problems.total():,} with a problem{found}.",
        str(folder / PARQUET_FILE),
        str(folder / CSV_FILE),
    )
    console.print("\n".join(lines), soft_wrap=True)
