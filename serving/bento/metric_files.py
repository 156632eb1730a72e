"""Reads the metrics of a process that is just beginning, or was killed while it began.

Patch: ``MmapedDict.read_all_values_from_file`` of prometheus_client returns no values for an empty file. Reason: a process
creates its file before it gives it a size. A scrape in between fails, with 500, and when the process is killed in between, so
does every one after it. Upstream: prometheus/client_python/issues/1199 (open). Can go with the release that has pull/1207.
Test: tests/serving/bento/test_metric_files.py.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict


def skip_empty_files() -> None:
    """Have ``/metrics`` pass over files without content."""
    read: Callable[[str], Iterator[Any]] = MmapedDict.read_all_values_from_file

    def read_begun(filename: str) -> Iterator[Any]:
        return iter(()) if Path(filename).stat().st_size == 0 else read(filename)

    MmapedDict.read_all_values_from_file = staticmethod(read_begun)  # type: ignore[method-assign]
