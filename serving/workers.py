"""The workers of one service: which of them this is, and the folder they share."""

import os
from pathlib import Path

import bentoml


def shared_folder() -> Path | None:
    """A folder that the workers of one service share: BentoML makes it, empty, for their metrics."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def worker_place() -> int:
    """Which of the service's workers this is, from 0."""
    return max((bentoml.server_context.worker_index or 1) - 1, 0)
