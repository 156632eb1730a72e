"""Processes of the service are killed under load: what was in their hands is lost, and nothing else."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.samples import samples
from tests.support.processes import SERVE, free_port, halt, runner_of, running, service_environment, workers_of
from tests.support.waiting import until_in_loop

pytestmark = pytest.mark.served

SAMPLE = samples()[0]
CLIENTS = 4
ROUNDS = 2
BACK_SECONDS = 40.0
ENOUGH_LOOKS = 3


@dataclass(slots=True)
class Seen:
    """What the clients saw since the last kill."""

    right: int = 0
    unavailable: int = 0
    broken: int = 0
    other: list[str] = field(default_factory=list)
    readiness: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Diary:
    """Where the clients write; a new page for each kill."""

    page: Seen = field(default_factory=Seen)


async def ask(address: str, diary: Diary) -> None:
    """A client that asks again and again, and connects anew after each answer, as different people would."""
    while True:
        try:
            async with httpx.AsyncClient(base_url=address, timeout=30) as client:
                response = await client.post("/classify", content=SAMPLE.data)
        except httpx.TransportError:
            diary.page.broken += 1
            await asyncio.sleep(0.01)
            continue
        if response.status_code == 200 and response.json()["label"] == SAMPLE.label:
            diary.page.right += 1
        elif response.status_code == 503 and response.headers["retry-after"]:
            diary.page.unavailable += 1
            await asyncio.sleep(0.01)
        else:
            diary.page.other.append(response.text)


async def look(address: str, diary: Diary) -> None:
    """A load balancer that looks at the readiness."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(base_url=address, timeout=30) as client:
                diary.page.readiness.append((await client.get("/readyz")).status_code)
        await asyncio.sleep(0.05)


async def kill_again_and_again(
    address: str,
    root: psutil.Process,
    living: Callable[[psutil.Process], list[psutil.Process]],
    judge: Callable[[Seen], None],
    enough: Callable[[Seen], bool] = lambda _: True,
) -> None:
    diary = Diary()
    tasks = [asyncio.create_task(ask(address, diary)) for _ in range(CLIENTS)] + [asyncio.create_task(look(address, diary))]
    for _ in range(ROUNDS):
        await answers(diary)
        await kill(root, living, diary, enough)
        await until_in_loop(lambda: diary.page.readiness[-1:] == [200], BACK_SECONDS)
        await answers(diary)
        judge(diary.page)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def answers(diary: Diary) -> None:
    """Wait for some more right answers."""
    before = diary.page.right
    await until_in_loop(lambda: diary.page.right > before + 20, BACK_SECONDS)


async def kill(
    root: psutil.Process,
    living: Callable[[psutil.Process], list[psutil.Process]],
    diary: Diary,
    enough: Callable[[Seen], bool],
) -> None:
    """Kill one process, turn the page, and wait until another has taken its place: not before the clients have seen enough."""
    before = living(root)
    diary.page = Seen()
    with halt(root):
        os.kill(before[0].pid, signal.SIGKILL)
        await until_in_loop(lambda: enough(diary.page), BACK_SECONDS)
    await until_in_loop(lambda: len(now := living(root)) == len(before) and before[0] not in now, BACK_SECONDS)


@pytest.mark.parametrize(("topology", "workers"), [("embedded", "2"), ("runner", "1")])
def test_without_the_parent_nobody_stays_on_the_port(model_store: Path, tmp_path: Path, topology: str, workers: str) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = service_environment(model_store, port, TOPOLOGY=topology, WORKERS=workers)
    with running(SERVE, f"{address}/readyz", tmp_path / "log", environment) as process:
        orphans = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        psutil.wait_procs(orphans, timeout=2 * BACK_SECONDS)
        # One that nobody has waited for yet is dead all the same.
        assert [one for one in orphans if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/livez")


def test_a_worker_takes_only_its_own_requests_along(model_store: Path, tmp_path: Path) -> None:
    def judge(seen: Seen) -> None:
        assert seen.other == []
        assert seen.unavailable == 0
        assert seen.broken <= CLIENTS + 1  # one each in its hands, and a look at the readiness

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = service_environment(model_store, port, TOPOLOGY="embedded")
    with running(SERVE, f"{address}/readyz", tmp_path / "log", environment) as process:
        asyncio.run(kill_again_and_again(address, psutil.Process(process.pid), workers_of, judge))


def test_clients_get_503_without_the_runner_until_it_recovers(model_store: Path, tmp_path: Path) -> None:
    def judge(seen: Seen) -> None:
        assert seen.other == []
        assert seen.broken == 0

    def is_seen_down(seen: Seen) -> bool:
        return seen.readiness.count(503) >= ENOUGH_LOOKS  # each was answered, and did not wait for the runner

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = service_environment(model_store, port, TOPOLOGY="runner", DEADLINE_SECONDS="30", WORKERS="1")
    with running(SERVE, f"{address}/readyz", tmp_path / "log", environment) as process:
        asyncio.run(kill_again_and_again(address, psutil.Process(process.pid), runner_of, judge, is_seen_down))
        assert "The runner service does not answer" in (tmp_path / "log").read_text()
