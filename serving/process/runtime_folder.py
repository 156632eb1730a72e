"""The private folder of a running service, for the files that its processes share and their metrics.

The parent creates it at the start, in the folder for temporary files, and removes it at the end, so that two services never
share one, whatever model store, port or process ids they have in common. Each process of the service holds a shared lock on it:
an unlocked folder was left by a service that was killed, and the next start removes it. (The lock also keeps systemd-tmpfiles
from clearing the folder of a service that runs for weeks.)
"""

import atexit
import fcntl
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import bentoml

from serving.process.workers import RUNTIME_FOLDER, SHARED, become_parent, has_parent, is_orphan, is_parent

PREFIX: Final = "image-classifier-"
METRICS: Final = "metrics"
# A younger folder may not be locked yet by the service that creates it.
YOUNG_SECONDS: Final = 60.0

_locks: list[int] = []


def open_runtime_folder() -> Path:
    """The folder of this process's service, created by the parent. Exits with one line where that fails, or in a worker whose
    parent has ended."""
    if is_parent():
        return Path(os.environ[RUNTIME_FOLDER])
    if has_parent():
        folder = Path(os.environ[RUNTIME_FOLDER])
        _hold(folder)
        return folder
    if is_orphan() and bentoml.server_context.worker_index is not None:
        sys.stderr.write("The process that started this worker has ended. Start the service again.\n")
        raise SystemExit(2)
    try:
        remove_stale(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        _hold(folder)
        for name in (METRICS, SHARED):
            (folder / name).mkdir(mode=0o700)
    except OSError as error:
        sys.stderr.write(f"Cannot create a folder for runtime files: {error}. Set TMPDIR to a writable folder.\n")
        raise SystemExit(2) from None
    become_parent()
    os.environ[RUNTIME_FOLDER] = str(folder)
    atexit.register(_remove, folder, os.getpid())
    return folder


def remove_stale(temporary: Path) -> None:
    """Remove folders of this user's services in ``temporary`` that no process has locked."""
    for folder in temporary.glob(f"{PREFIX}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, or gone
            continue
        try:
            status = os.fstat(descriptor)
            if status.st_uid == os.geteuid() and time.time() - status.st_mtime > YOUNG_SECONDS:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # a running service
            continue
        finally:
            os.close(descriptor)


def _hold(folder: Path) -> None:
    """Lock the folder (shared) until this process ends; child processes do not inherit the lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _locks.append(descriptor)


def _remove(folder: Path, parent: int) -> None:
    if os.getpid() == parent:
        shutil.rmtree(folder, ignore_errors=True)
