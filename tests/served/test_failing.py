"""A model whose session fails on one kind of picture, in a real `bentoml serve` process."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.models.catalogues import models
from tests.support.failing_model import FAILS, MODEL, add_failing_model
from tests.support.load import post_all
from tests.support.metrics import Counted
from tests.support.pictures import digit, encoded
from tests.support.problems import is_problem
from tests.support.processes import free_port, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.served

GOOD = encoded(digit("7"))
WAVES = 10


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of one worker with the model."""
    home = tmp_path_factory.mktemp("failing")
    add_failing_model(home / "catalogue")
    done = models(home, "import", catalogue=home / "catalogue")
    assert done.returncode == 0, done.stderr
    settings = {"CATALOGUE": str(home / "catalogue"), "DEFAULT_MODEL": MODEL, "WORKERS": "1", "GALLERY": "false"}
    with start_service(home, free_port(), **settings) as address:
        yield address


def test_a_picture_the_model_fails_on_fails_alone_and_the_session_is_opened_again(address: str) -> None:
    alone = httpx.post(f"{address}/classify", content=GOOD, timeout=30).json()["probabilities"]
    counted = Counted(address)
    failing = httpx.post(f"{address}/classify", content=FAILS, timeout=30)
    assert "The model failed on this image" in is_problem(failing, 503, "unavailable")
    assert failing.headers["retry-after"]
    for _ in range(WAVES):
        answers = asyncio.run(post_all(address, [GOOD, GOOD, FAILS, GOOD, GOOD] * 4))
        for place, answer in enumerate(answers):
            if place % 5 == 2:
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            else:
                assert answer.json()["probabilities"] == pytest.approx(alone, abs=1e-4)
    assert httpx.get(f"{address}/readyz", timeout=30).status_code == 200
    until(lambda: counted(f"session_restarts_total{{cpu,{MODEL}}}") >= 1)
    assert httpx.post(f"{address}/classify", content=GOOD, timeout=30).json()["probabilities"] == pytest.approx(alone)
