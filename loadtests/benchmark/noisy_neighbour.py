"""Latency of requests for one model beside load on another: ``python -m loadtests.benchmark neighbours``."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from loadtests.benchmark.networks import write_slow
from loadtests.benchmark.results import Load, NoisyNeighbour
from loadtests.benchmark.runner import WARM_UP_SECONDS, log
from loadtests.benchmark.wrk import post
from loadtests.http_client import encode_form
from loadtests.images import load_images
from loadtests.processes import SERVERS, TOPOLOGIES, Server, import_models, start_server
from loadtests.sessions import DIGITS, digits_card
from models.card import CARD_FILE, MODEL_FILE, file_sha256, write_card

SLOW: Final = "slow"
CONVOLUTIONS: Final = 10  # about 3 ms an image on a core
CONNECTIONS: Final = 16
# The models that the load is on, beside the one connection to digits.
LOAD_ON: Final = ("nothing", "digits", SLOW)


def write_catalogue(folder: Path, convolutions: int = CONVOLUTIONS) -> None:
    """Write a catalogue of digits and of ``slow``, a network of random weights for the same images."""
    shutil.copytree(DIGITS.parent, folder / "digits")
    slow = folder / SLOW
    slow.mkdir()
    write_slow(slow / MODEL_FILE, convolutions)
    changed: dict[str, Any] = {"name": SLOW, "title": "Random weights", "metrics": [], "known_answer": None}
    changed["sha256"] = file_sha256(slow / MODEL_FILE)
    write_card(digits_card().model_copy(update=changed), slow / CARD_FILE)


def run_neighbours(rounds: int, seconds: int) -> list[NoisyNeighbour]:
    """Measure one connection to digits beside every load, in both topologies, ``rounds`` times.

    Raises:
        ServerError, WrkError: a server or the load generator failed.
    """
    found: list[NoisyNeighbour] = []
    with tempfile.TemporaryDirectory() as folder:
        home, catalogue = Path(folder) / "home", Path(folder) / "catalogue"
        home.mkdir()
        write_catalogue(catalogue)
        import_models(home, CATALOGUE=str(catalogue))
        for number in range(1, rounds + 1):
            for name in TOPOLOGIES:
                with start_server(SERVERS[name], home, CATALOGUE=str(catalogue)) as server:
                    found += [measure(server, name, load_on, number, seconds) for load_on in LOAD_ON]
    return found


def measure(server: Server, name: str, load_on: str, number: int, seconds: int) -> NoisyNeighbour:
    """Measure one connection to digits for ``seconds``; the load starts before and ends after it."""
    with ThreadPoolExecutor(1) as pool:
        longer = seconds + 2 * WARM_UP_SECONDS
        loading = pool.submit(_post, server, load_on, CONNECTIONS, longer) if load_on != LOAD_ON[0] else None
        _post(server, "digits", 1, WARM_UP_SECONDS)
        alone = _post(server, "digits", 1, seconds)
        load = loading.result() if loading else None
    found = NoisyNeighbour(
        round=number,
        server=name,
        load_on=load_on,
        p50_ms=alone.p50_ms,
        p99_ms=alone.p99_ms,
        errors=alone.errors + (load.errors if load else 0),
        load_rate=load.requests / load.seconds if load else 0.0,
    )
    log(
        f"round {number}  {name:10} beside {load_on:8} p50 {found.p50_ms:6.1f}  p99 {found.p99_ms:6.1f} ms  "
        f"load {found.load_rate:6.0f} requests/s  errors {found.errors}"
    )
    return found


def _post(server: Server, model: str, connections: int, seconds: int) -> Load:
    """Post the small image to a model, in a closed loop."""
    return post(f"{server.address}/classify?model={model}", encode_form([load_images()["small"].data]), connections, seconds)
