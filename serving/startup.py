"""Checks settings, API keys and devices before the service starts, and exits with one line where something is wrong."""

import gc
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from models.card import MODEL_FILE, Card, ModelCard
from models.store import verified_folder
from serving.errors import STATUS
from serving.inference.sessions import DEVICES, DeviceUnavailable, open_session
from serving.middleware.api_keys import KeysError, read_keys
from serving.process import metrics
from serving.process.workers import WorkerTable
from serving.settings import Settings

SWITCH_SECONDS: Final = 0.001
FOUND_GPU: Final = "IMAGE_CLASSIFIER_GPU"
RUNNER_KEY: Final = "IMAGE_CLASSIFIER_RUNNER_KEY"
SECRETS_DIR: Final = "SECRETS_DIR"
# Settings that a Bento was built with.
BUILT_IN: Final = Path(__file__).parent.parent / "bento.env"


def load_settings() -> Settings:
    """Read the settings from the environment, the folder of secrets and those built into a Bento, in this order of precedence;
    exit with one line for each invalid value."""
    folder = os.environ.get(SECRETS_DIR) or None
    if folder is not None and not Path(folder).is_dir():
        sys.stderr.write(f"Setting {SECRETS_DIR}={folder!r} is not valid: it is not a folder\n")
        raise SystemExit(2)
    try:
        return Settings(_secrets_dir=folder, _env_file=BUILT_IN)
    except ValidationError as error:
        for fault in error.errors():
            name = ".".join(map(str, fault["loc"])).upper()
            shown = f"={fault['input']!r}" if Settings.model_fields[str(fault["loc"][0])].repr else ""
            sys.stderr.write(f"Setting {name}{shown} is not valid: {fault['msg']}\n")
        raise SystemExit(2) from None


def join_workers(service: str, workers: int) -> WorkerTable:
    """Take this worker's slot among those of a service, and start its metrics; those of a dead worker that had the slot end."""
    table = WorkerTable.shared(service, workers)
    before = table.join()
    restarts = metrics.worker_restarts.labels(service)
    if before not in (None, os.getpid()):
        metrics.remove_process(before)
        restarts.inc()
    metrics.workers.labels(service).set(1)
    for code in STATUS:  # exported as 0, since Prometheus cannot see the first step of a counter that appears with it
        metrics.errors.labels(code)
    return table


def freeze_start_objects() -> None:
    """Exclude all objects so far from later garbage collections, which would delay requests. Models of a later reload are not
    frozen, since collecting the whole process first would delay requests as well."""
    gc.collect()
    gc.freeze()


def shorten_switch_interval() -> None:
    """Have threads release the GIL to the event loop after a millisecond, not Python's five: a reload and ``/metrics`` compute
    for hundreds of milliseconds in a thread."""
    sys.setswitchinterval(SWITCH_SECONDS)


def runner_key() -> str:
    """The secret with which API workers authenticate to the runner; the parent puts it into the environment."""
    if not os.environ.get(RUNNER_KEY):
        os.environ[RUNNER_KEY] = secrets.token_urlsafe(32)
    return os.environ[RUNNER_KEY]


def check_api_keys(settings: Settings) -> None:
    """Exit with one line if the file of API keys cannot be read, or ``RATE_LIMIT`` is set without one."""
    try:
        if settings.api_keys_file is not None:
            read_keys(settings.api_keys_file)
        elif settings.rate_limit is not None:
            raise KeysError("RATE_LIMIT applies to API keys. Set API_KEYS_FILE too.")
    except KeysError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def find_gpu(settings: Settings, cards: dict[str, Card]) -> bool:
    """Whether a model of the catalogue runs on a GPU; exits with one line for ``DEVICE=gpu`` without a working GPU.

    The parent passes the result to the workers in the environment, so that they do not try again.
    """
    if settings.device == "cpu":
        return False
    if FOUND_GPU not in os.environ:
        card = next(card for card in cards.values() if isinstance(card, ModelCard))
        try:
            open_session(verified_folder(card.tag) / MODEL_FILE, DEVICES["gpu"], threads=1)
            os.environ[FOUND_GPU] = "yes"
        except DeviceUnavailable as error:
            if settings.device == "gpu":
                sys.stderr.write(f"DEVICE=gpu, but there is no working GPU: {error} {error.remedy}\n")
                raise SystemExit(2) from None
            os.environ[FOUND_GPU] = "no"
    return os.environ[FOUND_GPU] == "yes"


def choose_topology(settings: Settings, gpu: bool) -> str:
    """``embedded`` or ``runner``, as ``TOPOLOGY`` says; for ``auto`` the runner if there is a GPU."""
    if settings.topology != "auto":
        return settings.topology
    return "runner" if gpu else "embedded"
