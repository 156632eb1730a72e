"""A slow model does not block other models, and a batch of the size of the concurrency limit does not block single images. The
tests count the requests that are answered meanwhile and use no clock."""

import asyncio
from pathlib import Path

import httpx
import pytest

from loadtests.benchmark.noisy_neighbour import write_catalogue
from tests.models.catalogues import models
from tests.support.metrics import Counted
from tests.support.pictures import digit, encoded
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
IMAGES = 32
BATCH = IMAGES // 2
CONVOLUTIONS = 60  # an image takes as long as a hundred digits
MEANWHILE = 16  # a model that held the event loop would let a few through between its two calls


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with the slow model, and its catalogue."""
    home = tmp_path_factory.mktemp("neighbours")
    write_catalogue(home / "catalogue", CONVOLUTIONS)
    imported = models(home, "import", catalogue=home / "catalogue")
    assert imported.returncode == 0, imported.stderr
    return home


@pytest.mark.parametrize("topology", ["embedded", "runner"])
def test_requests_are_answered_while_another_model_is_busy(topology: str, home: Path) -> None:
    limits = {"MAX_IN_FLIGHT": str(IMAGES), "MAX_BATCH_SIZE": str(BATCH), "DEADLINE_SECONDS": "60"}
    settings = {"CATALOGUE": str(home / "catalogue"), "TOPOLOGY": topology, "WORKERS": "1", **limits}
    with start_service(home, free_port(), **settings) as address:
        assert asyncio.run(_answered_meanwhile(address)) >= MEANWHILE


async def _answered_meanwhile(address: str) -> int:
    """Digits that are read one after the other while the slow model reads a batch."""
    async with httpx.AsyncClient(base_url=address, timeout=120) as client:
        counted = Counted(address)
        files = [("images", (f"{i}.png", SEVEN, "image/png")) for i in range(IMAGES)]
        slow = asyncio.create_task(client.post("/classify/batch", params={"model": "slow"}, files=files))
        while await asyncio.to_thread(counted, "stage_duration_seconds_count{preprocess}") < 1:
            await asyncio.sleep(0)
        answered = 0
        while not slow.done():
            answered += (await client.post("/classify", content=SEVEN)).json()["label"] == "7"
        assert [entry["model"] for entry in (await slow).json()] == ["slow"] * IMAGES
        return answered
