"""How a request for one model fares beside load on another: ``python -m loadtests.bench neighbours``."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loadtests.bench.contestants import CONTESTANTS, Server, import_models, serving
from loadtests.bench.network import write_slow
from loadtests.bench.pictures import form, pictures
from loadtests.bench.results import Neighbour
from loadtests.bench.rounds import WARM_UP_SECONDS, say
from loadtests.bench.wrk import Load, post
from loadtests.sessions import DIGITS, digits_card
from models.card import CARD_FILE, MODEL_FILE, file_sha256, write_card

NAMES: Final = ("embedded", "runner")
SLOW: Final = "slow"
CONVOLUTIONS: Final = 10  # about 3 ms an image on a core
CONNECTIONS: Final = 16
# What the load is on, beside the one connection that asks for digits.
BESIDE: Final = ("nothing", "digits", SLOW)


def write_catalogue(folder: Path, convolutions: int = CONVOLUTIONS) -> None:
    """A catalogue of digits, and of ``slow``, a network of random weights that takes the same pictures."""
    shutil.copytree(DIGITS.parent, folder / "digits")
    slow = folder / SLOW
    slow.mkdir()
    write_slow(slow / MODEL_FILE, convolutions)
    changed: dict[str, Any] = {"name": SLOW, "title": "Random weights", "metrics": [], "known_answer": None}
    changed["sha256"] = file_sha256(slow / MODEL_FILE)
    write_card(digits_card().model_copy(update=changed), slow / CARD_FILE)


def run_neighbours(rounds: int, seconds: int) -> list[Neighbour]:
    """One connection on digits alone, beside load on digits and beside load on the slow model, in both topologies.

    Raises:
        ContestantError, WrkError: a server or the load failed.
    """
    found: list[Neighbour] = []
    with tempfile.TemporaryDirectory() as folder:
        home, catalogue = Path(folder) / "home", Path(folder) / "catalogue"
        home.mkdir()
        write_catalogue(catalogue)
        settings = {"CATALOGUE": str(catalogue)}
        import_models(home, **settings)
        for number in range(1, rounds + 1):
            for name in NAMES:
                contestant = CONTESTANTS[name]
                with serving(replace(contestant, environment={**contestant.environment, **settings}), home) as server:
                    found += [measure(server, name, beside, number, seconds) for beside in BESIDE]
    return found


def measure(server: Server, name: str, beside: str, number: int, seconds: int) -> Neighbour:
    """One connection on digits for ``seconds`` while the load is on, which begins before and ends after it."""
    with ThreadPoolExecutor(1) as pool:
        load = (server, beside, CONNECTIONS, seconds + 2 * WARM_UP_SECONDS)
        loading = pool.submit(ask, *load) if beside != BESIDE[0] else None
        ask(server, "digits", 1, WARM_UP_SECONDS)
        alone = ask(server, "digits", 1, seconds)
        beside_it = loading.result() if loading else None
    found = Neighbour(
        round=number,
        contestant=name,
        beside=beside,
        p50_ms=alone.p50_ms,
        p99_ms=alone.p99_ms,
        errors=alone.errors + (beside_it.errors if beside_it else 0),
        load_rate=beside_it.requests / beside_it.seconds if beside_it else 0.0,
    )
    say(
        f"round {number}  {name:10} beside {beside:8} p50 {found.p50_ms:6.1f}  p99 {found.p99_ms:6.1f} ms  "
        f"load {found.load_rate:6.0f} requests/s  errors {found.errors}"
    )
    return found


def ask(server: Server, model: str, connections: int, seconds: int) -> Load:
    """Post the small picture to a model, in a closed loop."""
    return post(f"{server.address}/classify?model={model}", form([pictures()["small"].data]), connections, seconds)
