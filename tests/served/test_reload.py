"""Models are changed, refused and brought back while a real `bentoml serve` process answers."""

import asyncio
import contextlib
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.samples import samples
from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card, write_card
from tests.models.catalogues import models
from tests.support.metrics import scrape
from tests.support.processes import SERVE, free_port, running, service_environment, start_service, workers_of
from tests.support.versions import LABELS, bring, settings
from tests.support.waiting import until_in_loop

pytestmark = pytest.mark.served

CLIENTS = 4
ENOUGH = 100
SECONDS = 30.0
PAUSE_SECONDS = 0.01  # of a client after an answer, so that something of the machine is left for what starts meanwhile


@dataclass(slots=True)
class Seen:
    """What clients that ask all the time received: how often each version answered, and every unexpected response."""

    versions: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def note(self, response: httpx.Response) -> None:
        """Take down an answer."""
        answer = response.json()
        version = answer.get("version", "none")
        if response.status_code == 200 and list(answer["probabilities"]) == LABELS[version]:
            self.versions[version] += 1
        else:
            self.faults.append(response.text)


async def ask(client: httpx.AsyncClient, seen: Seen) -> None:
    while True:
        seen.note(await client.post("/classify", content=samples()[0].data))
        await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def asked(address: str) -> AsyncIterator[Seen]:
    """Clients, each with a connection of its own, that ask until the block ends."""
    seen = Seen()
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30)) for _ in range(CLIENTS)]
        asking = [asyncio.ensure_future(ask(client, seen)) for client in clients]
        try:
            yield seen
            for task in asking:
                assert not task.done(), task.exception()
        finally:
            for task in asking:
                task.cancel()


async def answered(seen: Seen, version: str) -> None:
    """Wait until everything asked from now on was answered by one version only."""
    for answers in (2 * CLIENTS, ENOUGH):  # the first may have been asked before
        seen.versions.clear()
        await until_in_loop(partial(lambda wanted: sum(seen.versions.values()) >= wanted, answers))
    assert set(seen.versions) == {version}


async def change(address: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.post(f"{address}/models/reload")


@pytest.fixture(scope="module")
def first_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store and a catalogue with the first version, imported once."""
    folder = tmp_path_factory.mktemp("first-version")
    bring(folder, "1.0.0")
    return folder


@pytest.fixture
def home(first_version: Path, tmp_path: Path) -> Path:
    """A test's own model store and catalogue with the first version."""
    shutil.copytree(first_version, tmp_path, dirs_exist_ok=True)
    return tmp_path


@contextlib.contextmanager
def running_service(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A service's address and its parent process."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = service_environment(home, port, **settings(home))
    with running(SERVE, f"{address}/readyz", home / "log", environment) as process:
        yield address, psutil.Process(process.pid)


def reference_of_marks(address: str) -> dict[str, float]:
    """The shares of the labels in the reference that the service exports, without those of the bin of all other labels."""
    found = scrape(address)
    names = sorted({label for labels in LABELS.values() for label in labels})
    return {name: found.get(f"reference_share{{{name},marks,label}}", 0.0) for name in names}


def test_models_change_once_at_a_time_under_load_without_a_failed_request_and_back(home: Path) -> None:
    async def play() -> None:
        with start_service(home, free_port(), **settings(home)) as address:
            async with asked(address) as seen:
                await answered(seen, "1.0.0")
                await asyncio.to_thread(bring, home, "2.0.0")
                await answered(seen, "1.0.0")
                answers = await asyncio.gather(*(change(address) for _ in range(4)))
                refused = {answer.json()["detail"] for answer in answers if answer.status_code == 409}
                assert refused == {"Another reload is running. Try again when it has finished."}
                done = [answer.json() for answer in answers if answer.status_code != 409]
                assert done and all(one == {"models": {"marks": "2.0.0"}} for one in done)
                await answered(seen, "2.0.0")
                shares = {"a": 0, "b": 0, "c": 1 / 3, "d": 1 / 3, "e": 1 / 3}
                assert reference_of_marks(address) == pytest.approx(shares, abs=0.002)
                restored = await asyncio.to_thread(models, home, "restore", "marks:1.0.0", catalogue=home / "catalogue")
                assert restored.returncode == 0, restored.stderr
                assert (await change(address)).json() == {"models": {"marks": "1.0.0"}}
                await answered(seen, "1.0.0")
                shares = {"a": 1 / 2, "b": 1 / 2, "c": 0, "d": 0, "e": 0}
                assert reference_of_marks(address) == pytest.approx(shares, abs=0.002)
                assert not seen.faults
            (served,) = httpx.get(f"{address}/models", timeout=30).json()["models"]
            assert served["version"] == "1.0.0"
            assert scrape(address)["sessions{cpu,marks,CPUExecutionProvider}"] == 2

    asyncio.run(play())


def wrong_answer(stored: Path) -> str:
    card = read_card(stored / CARD_FILE)
    assert isinstance(card, ModelCard)
    write_card(card.model_copy(update={"known_answer": {"d": 100.0}}), stored / CARD_FILE)
    return "for the golden input"


def other_file(stored: Path) -> str:
    (stored / MODEL_FILE).write_bytes((stored / MODEL_FILE).read_bytes() + b"\0")
    return "sha256 is"


def test_bad_versions_are_refused_and_the_old_one_kept(home: Path) -> None:
    async def play() -> None:
        with running_service(home) as (address, parent):
            async with asked(address) as seen:
                await asyncio.to_thread(bring, home, "2.0.0")
                for spoil in (wrong_answer, other_file):
                    reason = spoil(home / "models" / "marks" / "2.0.0")
                    refused = await change(address)
                    assert refused.status_code == 409
                    assert refused.json()["code"] == "not_updated"
                    assert reason in refused.json()["detail"]
                    await answered(seen, "1.0.0")
                assert not seen.faults
            before = workers_of(parent)
            before[0].kill()
            await until_in_loop(lambda: len(alive := workers_of(parent)) == 2 and before[0] not in alive)
            async with asked(address) as seen:
                await answered(seen, "1.0.0")
                assert not seen.faults

    asyncio.run(play())


def test_a_worker_that_starts_later_serves_what_the_others_do(home: Path) -> None:
    async def play() -> None:
        with running_service(home) as (address, parent):
            await asyncio.to_thread(bring, home, "2.0.0")
            assert (await change(address)).status_code == 200
            (home / "catalogue" / "marks" / CARD_FILE).write_text("no card at all", encoding="utf-8")
            before = workers_of(parent)
            for worker in before:
                worker.kill()
            await until_in_loop(lambda: len(alive := workers_of(parent)) == 2 and not set(before) & set(alive))
            async with asked(address) as seen:
                await answered(seen, "2.0.0")
                assert not seen.faults

    asyncio.run(play())


def test_with_a_runner_models_change_with_a_start(home: Path) -> None:
    async def play() -> None:
        with start_service(home, free_port(), TOPOLOGY="runner", WORKERS="1", **settings(home)) as address:
            refused = await change(address)
            assert refused.status_code == 409
            assert "Restart this service" in refused.json()["detail"]

    asyncio.run(play())
