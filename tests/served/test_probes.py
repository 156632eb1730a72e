"""What Kubernetes asks of a pod while the service is busy: the probes, and the images in flight by which it scales."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import psutil
import pytest

from tests.support.metrics import scrape
from tests.support.pictures import digit, encoded
from tests.support.processes import free_port, halt, processes_of, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
PATIENT = "tests.served.patient:ImageClassifier"
CLIENTS = 8
IMAGES = 12
WAIT_SECONDS = 60.0


def refused_until(address: str, stop: Event) -> int:
    """How many images were refused because too many were in progress."""
    refused = 0
    with httpx.Client(base_url=address, timeout=30) as client:
        while not stop.is_set():
            refused += client.post("/classify", content=SEVEN).status_code == 429
    return refused


def test_full_queue_fails_no_probe(model_store: Path) -> None:
    with (
        start_service(model_store, free_port(), MAX_IN_FLIGHT="1") as address,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        stop = Event()
        clients = [pool.submit(refused_until, address, stop) for _ in range(CLIENTS)]
        try:
            until(lambda: scrape(address).get("errors_total{overloaded}", 0) > CLIENTS)
            probed = {(path, httpx.get(f"{address}{path}").status_code) for path in ("/livez", "/readyz") * 25}
        finally:
            stop.set()
        assert sum(client.result() for client in clients) > CLIENTS
        assert probed == {("/livez", 200), ("/readyz", 200)}


def test_images_in_flight_are_counted_over_all_workers(model_store: Path) -> None:
    with start_service(model_store, free_port(), PATIENT, TOPOLOGY="runner") as address:
        (runner,) = [one for one in processes_of(address) if "image_classifier_runner" in one.info["cmdline"]]
        assert scrape(address)["images_in_flight{}"] == 0
        asyncio.run(asyncio.wait_for(_classify(address, runner), WAIT_SECONDS))
        until(lambda: [scrape(address)["images_in_flight{}"] for _ in range(6)] == [0] * 6)


async def _classify(address: str, runner: psutil.Process) -> None:
    """Requests on connections of their own wait for the model; whichever worker is asked says how many."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        # The connections are used again below, so that each request reaches a worker that knows its runner.
        while {one.status_code for one in await asyncio.gather(*(client.get("/readyz") for _ in range(IMAGES)))} != {200}:
            await asyncio.sleep(0.02)
        with halt(runner):
            requests = [asyncio.create_task(client.post("/classify", content=SEVEN)) for _ in range(IMAGES)]
            while [(await asyncio.to_thread(scrape, address))["images_in_flight{}"] for _ in range(6)] != [IMAGES] * 6:
                await asyncio.sleep(0.02)
            runner.resume()
            assert {(await request).json()["label"] for request in requests} == {"7"}
