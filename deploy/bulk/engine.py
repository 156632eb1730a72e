"""Runs batches on Ray Data: on this machine, or on a cluster."""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil
import pyarrow as pa
import ray

from deploy.bulk.classifier import BatchClassifier, Job
from deploy.bulk.errors import EngineError

# Ray repeats a batch whose worker died, for ever; a picture that kills every worker is noticed when nothing else is left to do.
NO_PROGRESS_SECONDS: Final = 600.0
AUTOSCALER: Final = "/autoscaler/_private/monitor.py"


def scratch_folder(output: Path) -> Path:
    """The folder of the sockets and logs of a local Ray: the same for every run into ``output``, so that the next one removes
    what a killed one left. Not in ``output``, since the paths of Unix sockets must be short."""
    return Path(tempfile.gettempdir()) / f"bulk-{hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:12]}"


@contextmanager
def local_ray(workers: int, object_store_bytes: int, scratch: Path) -> Iterator[int]:
    """A Ray on this machine while the block runs, which listens on loopback only; gives its CPUs, one for each worker.

    Raises:
        EngineError: it does not start.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with _connected(
            address="local",
            num_cpus=workers,
            num_gpus=0,
            object_store_memory=object_store_bytes,
            include_dashboard=False,
            _temp_dir=str(scratch),
        ) as cpus:
            _end_autoscaler()
            yield cpus
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def ray_cluster(address: str) -> Iterator[int]:
    """The Ray cluster at an address while the block runs; gives its CPUs.

    Raises:
        EngineError: it does not answer, or has no CPUs.
    """
    with _connected(address=address) as cpus:
        if not cpus:
            raise EngineError(f"The Ray cluster at {address} has no CPUs. Start a node with CPUs.")
        yield cpus


@contextmanager
def _connected(**options: Any) -> Iterator[int]:
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EngineError(f"Ray at {options['address']} cannot be used: {error}") from error
    try:
        yield int(ray.cluster_resources().get("CPU", 0))
    finally:
        ray.shutdown()


def _end_autoscaler() -> None:
    """End the process that would start further machines: a Ray of one machine has no use for it, and waits a second for its end
    when it shuts down. Where it is not found, nothing but that second is lost."""
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if any(part.endswith(AUTOSCALER) for part in child.cmdline()):
                child.kill()


def classify(batches: Iterable[pa.Table], job: Job, workers: int) -> Iterator[pa.Table]:
    """The results of batches, in the order in which they are ready; each batch exactly once.

    Only names and results pass through Ray's object store. The pool of workers is the only operator, so that it may occupy
    every CPU: with operators beside it that need one, such as reads and writes, it would wait for them for ever.

    Raises:
        EngineError: a worker cannot start, or nothing was classified for ten minutes.
    """
    # Imported here, when the first processes of Ray are at work on another CPU.
    import ray.data
    from ray.data.exceptions import ExecutionTimeoutError

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = NO_PROGRESS_SECONDS
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    # Not from_arrow(), which has two more processes import Ray Data and look at each table before the first worker starts.
    dataset = ray.data.from_blocks(list(batches)).map_batches(
        BatchClassifier,
        fn_constructor_args=(job,),
        batch_size=None,
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=1,
    )
    try:
        yield from dataset.iter_batches(batch_size=None, batch_format="pyarrow")
    except (ray.exceptions.RayError, ExecutionTimeoutError) as error:
        raise EngineError(f"The workers failed: {error}") from error
