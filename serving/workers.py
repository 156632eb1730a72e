"""The workers of one service: which of them this is, and the folder they share."""

import os
from pathlib import Path
from typing import Final

import bentoml

PARENT: Final = "IMAGE_CLASSIFIER_PARENT"


def shared_folder() -> Path | None:
    """A folder that the workers of one service share: BentoML makes it, empty, for their metrics."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def worker_place() -> int:
    """Which of the service's workers this is, from 0."""
    return max((bentoml.server_context.worker_index or 1) - 1, 0)


def become_parent() -> None:
    """Leave to the processes that this one starts who they belong to."""
    os.environ[PARENT] = str(os.getpid())


def has_parent() -> bool:
    """Whether this is a worker, and the process that started it lives."""
    return os.environ.get(PARENT) == str(os.getppid())


def is_orphan() -> bool:
    """Whether this is a worker whose parent is gone; where a service runs without workers, nobody is."""
    return os.environ.get(PARENT, str(os.getpid())) not in (str(os.getpid()), str(os.getppid()))
