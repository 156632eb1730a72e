"""Latency of requests for one model beside load on another: ``python -m loadtests.benchmark neighbours``."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, Final

from loadtests.benchmark.networks import write_slow
from loadtests.benchmark.offline import DIGITS, digits_card
from loadtests.benchmark.results import Measurement
from loadtests.benchmark.scenarios import WARM_UP_SECONDS, Scenario, measure
from loadtests.benchmark.wrk import post
from loadtests.processes import SERVERS, TOPOLOGIES, Server, import_models, start_server
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


def run_neighbours(rounds: int, seconds: int) -> list[Measurement]:
    """Measure one connection to digits beside every load, in both topologies, ``rounds`` times.

    Raises:
        ServerError, WrkError: a server or the load generator failed.
    """
    found: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        home, catalogue = Path(folder) / "home", Path(folder) / "catalogue"
        home.mkdir()
        write_catalogue(catalogue)
        import_models(home, CATALOGUE=str(catalogue))
        for number, name in product(range(1, rounds + 1), TOPOLOGIES):
            with start_server(SERVERS[name], home, CATALOGUE=str(catalogue)) as server:
                found += [measure_beside(server, name, load_on, number, seconds) for load_on in LOAD_ON]
    return found


def measure_beside(server: Server, name: str, load_on: str, number: int, seconds: int) -> Measurement:
    """Measure one connection to digits for ``seconds``; the load starts before and ends after it, and its errors count too.

    The generator of the load counts as a foreign program.
    """
    scenario = Scenario(f"beside {load_on}", "", "small", 1, "/classify?model=digits")
    with ThreadPoolExecutor(1) as pool:
        options = (f"{server.address}/classify?model={load_on}", scenario.body(), CONNECTIONS, seconds + 2 * WARM_UP_SECONDS)
        loading = pool.submit(post, *options) if load_on != LOAD_ON[0] else None
        post(server.address + scenario.route, scenario.body(), 1, WARM_UP_SECONDS)
        alone = measure(server, name, scenario, number, seconds)
        if loading is None:
            return alone
        load = loading.result()
    return alone.model_copy(update={"load_rate": load.rate, "socket_errors": alone.socket_errors + load.errors})
