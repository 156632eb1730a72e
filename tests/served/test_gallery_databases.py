"""The gallery of real `bentoml serve` processes and its database: restarts, workers that write at once, a database that is
absent, ends, and comes back. Whatever happens to it, pictures are classified."""

import asyncio
import shutil
import socket
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from gallery import Store, file_url
from serving.http.gallery_handlers import MAX_EXPORTS
from tests.gallery.entries import SEVEN as KEPT
from tests.gallery.entries import prediction
from tests.support.pictures import digit, encoded
from tests.support.postgres import Cluster
from tests.support.problems import is_problem
from tests.support.processes import SERVE, free_port, running, service_environment, start_service, workers_of
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
KEYS = 20
WITH_KEY = 80
WITHOUT = 40
CONNECTIONS = 16
ROOM = 2 * 2**20
HELD = 50 * 2**20


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gallery.db"
    return str(request.getfixturevalue("postgres").new_database())


def classifies(address: str) -> bool:
    """Whether the service is ready and reads a picture."""
    ready = httpx.get(f"{address}/readyz", timeout=60).status_code == 200
    return ready and httpx.post(f"{address}/classify", content=SEVEN, timeout=60).json()["label"] == "7"


def keeps(address: str) -> bool:
    """Whether the gallery takes a picture."""
    return httpx.post(f"{address}/gallery", content=SEVEN, timeout=30).status_code == 201


def kept_entry(address: str) -> dict[str, Any]:
    """The entry of a picture that is posted until the gallery takes it, which workers find out one by one."""
    answers: list[httpx.Response] = []

    def is_kept() -> bool:
        answers.append(httpx.post(f"{address}/gallery", content=SEVEN, timeout=30))
        return answers[-1].status_code == 201

    until(is_kept, seconds=30)
    return dict(answers[-1].json())


def noise(seed: int) -> bytes:
    """A seven on paper with so much grain that it takes room."""
    grain = np.random.default_rng(seed).integers(200, 256, (280, 280), np.uint8)
    paper = Image.fromarray(grain)
    paper.paste(0, mask=digit("7").convert("LA").getchannel("A"))
    return encoded(paper)


def test_two_workers_and_a_restart_lose_nothing_and_double_nothing(model_store: Path, url: str) -> None:
    with start_service(model_store, free_port(), GALLERY_URL=url) as address:
        corrections = asyncio.run(_everything_at_once(address))
    assert len(corrections) == KEYS + WITHOUT
    with start_service(model_store, free_port(), GALLERY_URL=url, WORKERS="1") as address:
        page = httpx.get(f"{address}/gallery", params={"limit": 100}, timeout=30).json()
        assert page["total"] == len(corrections)
        assert {entry["id"]: entry["corrected"] for entry in page["entries"]} == corrections
        for entry in page["entries"][:3]:
            assert httpx.get(f"{address}{entry['image']}", timeout=30).content.startswith(b"\x89PNG")


async def _everything_at_once(address: str) -> dict[str, str | None]:
    """Post and then correct over many connections, which both workers serve; the corrections that were answered, by id."""
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:

        async def post(number: int) -> tuple[str, int]:
            params = {"key": f"key-{number % KEYS}"} if number < WITH_KEY else {}
            answer = await client.post("/gallery", content=SEVEN, params=params)
            return answer.json()["id"], answer.status_code

        async def correct(place: int, id: str) -> tuple[str, str | None]:
            label = str(place % 10) if place % 3 else None
            answer = await client.patch(f"/gallery/{id}", json={"label": label})
            assert answer.status_code == 200, answer.text
            return id, label

        kept = await asyncio.gather(*(post(number) for number in range(WITH_KEY + WITHOUT)))
        assert sorted(code for _, code in kept) == [200] * (WITH_KEY - KEYS) + [201] * (KEYS + WITHOUT)
        for key in range(KEYS):
            assert len({id for id, _ in kept[key:WITH_KEY:KEYS]}) == 1
        return dict(await asyncio.gather(*(correct(place, id) for place, id in enumerate(sorted({id for id, _ in kept})))))


def test_a_postgres_that_starts_later_ends_and_comes_back(model_store: Path, postgres: Cluster) -> None:
    url = postgres.new_database()
    postgres.stop()
    try:
        with start_service(model_store, free_port(), GALLERY_URL=url) as address:
            assert classifies(address)
            is_problem(httpx.get(f"{address}/gallery", timeout=30), 503, "unavailable")
            postgres.start()
            entry = kept_entry(address)
            postgres.stop()
            for _ in range(4):  # whichever worker answers
                for ask in ("/gallery", "/gallery/export", entry["image"]):
                    answer = httpx.get(f"{address}{ask}", timeout=30)
                    assert "database cannot be used" in is_problem(answer, 503, "unavailable")
                    assert int(answer.headers["retry-after"]) >= 1
                assert not keeps(address)
                assert classifies(address)
            postgres.start()
            until(lambda: keeps(address), seconds=30)
            for _ in range(4):  # each worker finds out by itself
                until(lambda: httpx.get(f"{address}/gallery/{entry['id']}", timeout=30).json() == entry, seconds=30)
    finally:
        postgres.stop()
        postgres.start()


def test_a_file_that_cannot_be_opened_or_is_no_database(model_store: Path, tmp_path: Path) -> None:
    """Without an address it is a file of BentoML's home."""
    shutil.copytree(model_store / "models", tmp_path / "models")
    file = tmp_path / "gallery.db"
    file.mkdir()
    with start_service(tmp_path, free_port(), WORKERS="1") as address:
        assert classifies(address)
        refused = httpx.post(f"{address}/gallery", content=SEVEN, timeout=30)
        assert "unable to open database file" in is_problem(refused, 503, "unavailable")
        file.rmdir()
        file.write_bytes(b"something else " * 100)
        until(lambda: "not a database" in httpx.get(f"{address}/gallery", timeout=30).json().get("detail", ""))
        assert classifies(address)
        file.unlink()
        until(lambda: keeps(address))
        assert file.is_file()


def test_full_disk_is_answered_503_and_loses_nothing(model_store: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = service_environment(model_store, port, GALLERY_URL=f"sqlite:///{tmp_path}/gallery.db", WORKERS="1")
    with running(SERVE, f"{address}/readyz", tmp_path / "log", environment) as process:
        (worker,) = workers_of(psutil.Process(process.pid))
        worker.rlimit(psutil.RLIMIT_FSIZE, (ROOM, psutil.RLIM_INFINITY))  # no file may become larger than this
        kept: list[str] = []
        while (answer := httpx.post(f"{address}/gallery", content=noise(len(kept)), timeout=30)).status_code == 201:
            kept.append(answer.json()["id"])
        assert 5 <= len(kept) <= ROOM / 10_000
        assert "database cannot be used" in is_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
        assert classifies(address)
        worker.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        until(lambda: keeps(address))
        for id in kept:
            assert httpx.get(f"{address}/gallery/{id}/image", timeout=30).content.startswith(b"\x89PNG")


def test_exports_that_are_not_read_hold_little_and_not_for_ever(model_store: Path, tmp_path: Path) -> None:
    """Each would hold sixteen pictures of four million bytes."""
    file = tmp_path / "gallery.db"
    store = Store(file_url(file), 100)
    for number in range(20):
        store.save(prediction(), replace(KEPT, image=Random(number).randbytes(4_000_000)))
    store.close()
    file.chmod(0o644)
    port = free_port()
    environment = service_environment(model_store, port, GALLERY_URL=f"sqlite:///{file}", WORKERS="1")
    with running(SERVE, f"http://127.0.0.1:{port}/readyz", tmp_path / "log", environment) as process, ExitStack() as stack:
        address = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{address}/gallery", timeout=30).json()["total"] == 20
        assert {one.stat().st_mode & 0o777 for one in tmp_path.glob("gallery.db*")} == {0o600}
        (worker,) = workers_of(psutil.Process(process.pid))
        before = worker.memory_info().rss
        statuses = []
        for _ in range(10):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            client.sendall(b"GET /gallery/export HTTP/1.1\r\nHost: a\r\n\r\n")
            statuses.append(client.recv(12, socket.MSG_PEEK))
            assert worker.memory_info().rss - before < HELD
        assert statuses == [b"HTTP/1.1 200"] * MAX_EXPORTS + [b"HTTP/1.1 429"] * (10 - MAX_EXPORTS)
        # Nobody reads and nobody hangs up: their places are for others all the same, a few seconds later.
        until(lambda: httpx.get(f"{address}/gallery/export?model=none", timeout=30).status_code == 200, seconds=60)
        assert worker.memory_info().rss - before < HELD
        assert classifies(address)


def test_a_gallery_that_is_off(model_store: Path, tmp_path: Path) -> None:
    settings = {"GALLERY": "false", "GALLERY_URL": f"sqlite:///{tmp_path}/gallery.db", "WORKERS": "1"}
    with start_service(model_store, free_port(), **settings) as address:
        assert httpx.get(f"{address}/models", timeout=30).json()["gallery"] is False
        for method, path in [("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/export")]:
            answer = httpx.request(method, f"{address}/gallery{path}", timeout=30)
            assert "GALLERY=false" in is_problem(answer, 404, "not_found")
        assert classifies(address)
    assert list(tmp_path.iterdir()) == []
