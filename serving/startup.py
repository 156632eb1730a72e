"""Before the first request: settings, keys, devices and the BentoML configuration, checked so that a fault ends the start."""

import gc
import os
import secrets
import sys
from typing import Final

from pydantic import ValidationError

from models.card import MODEL_FILE, Card, ModelCard
from models.store import require
from serving.inference.sessions import DEVICES, DeviceUnavailable, open_session
from serving.middleware.api_keys import KeysError, read_keys
from serving.process.metrics import remove_process
from serving.process.workers import WorkerTable
from serving.settings import Settings

SWITCH_SECONDS: Final = 0.001
FOUND_GPU: Final = "IMAGE_CLASSIFIER_GPU"
RUNNER_KEY: Final = "IMAGE_CLASSIFIER_RUNNER_KEY"


def load_settings() -> Settings:
    """The settings of this process; a bad value ends it with one line per field."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = ".".join(map(str, fault["loc"])).upper()
            shown = f"={fault['input']!r}" if Settings.model_fields[str(fault["loc"][0])].repr else ""
            sys.stderr.write(f"Setting {name}{shown} is not valid: {fault['msg']}\n")
        raise SystemExit(2) from None


def join_workers(service: str, workers: int) -> WorkerTable:
    """Take this worker's place among those of a service, and clear away what the one before it left in the metrics."""
    table = WorkerTable.shared(service, workers)
    before = table.join()
    if before not in (None, os.getpid()):
        remove_process(before)
    return table


def freeze_start_objects() -> None:
    """Keep what was made until now out of every later garbage collection, so that no request pays for looking at it again.
    Models of a later reload are left to the collector: to look through the whole process holds up its requests."""
    gc.collect()
    gc.freeze()


def favour_event_loop() -> None:
    """Have threads hand the interpreter to the event loop soon, where Python lets each keep it for five milliseconds, and that
    several times a request: a reload and a scrape of ``/metrics`` compute for hundreds of them in a thread."""
    sys.setswitchinterval(SWITCH_SECONDS)


def runner_key() -> str:
    """The secret by which the runner knows this service's own workers; the parent makes it and leaves it to all of them in the
    environment."""
    if not os.environ.get(RUNNER_KEY):
        os.environ[RUNNER_KEY] = secrets.token_urlsafe(32)
    return os.environ[RUNNER_KEY]


def check_access(settings: Settings) -> None:
    """End the process with one line unless the keys of the API can be read, where there are to be any."""
    try:
        if settings.api_keys_file is not None:
            read_keys(settings.api_keys_file)
        elif settings.rate_limit is not None:
            raise KeysError("RATE_LIMIT is for each key, and there are none: set API_KEYS_FILE too.")
    except KeysError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def find_gpu(settings: Settings, cards: dict[str, Card]) -> bool:
    """Whether a session of the catalogue runs on a GPU; with ``DEVICE=gpu`` and none the process ends with one line.

    The answer is left in the environment, so that the workers, which import the service again, need not find out again.
    """
    if settings.device == "cpu":
        return False
    if FOUND_GPU not in os.environ:
        card = next(card for card in cards.values() if isinstance(card, ModelCard))
        try:
            open_session(require(card.tag) / MODEL_FILE, DEVICES["gpu"], threads=1)
            os.environ[FOUND_GPU] = "yes"
        except DeviceUnavailable as error:
            if settings.device == "gpu":
                sys.stderr.write(f"DEVICE=gpu, but there is no working GPU: {error}\n")
                raise SystemExit(2) from None
            os.environ[FOUND_GPU] = "no"
    return os.environ[FOUND_GPU] == "yes"


def choose_topology(settings: Settings, gpu: bool) -> str:
    """``embedded`` or ``runner``: what ``TOPOLOGY`` says, or the runner where a GPU is shared."""
    if settings.topology != "auto":
        return settings.topology
    return "runner" if gpu else "embedded"
