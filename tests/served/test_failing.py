"""A model whose session fails on one kind of picture, in a real `bentoml serve` process."""

import asyncio
from collections.abc import Iterator

import httpx
import numpy as np
import onnx
import pytest
from PIL import Image, ImageDraw

from models.card import CARD_FILE, MODEL_FILE, file_sha256, write_card
from preprocessing import Geometry
from tests.models.catalogues import add_model, models
from tests.models.graphs import SIZE, model, node, weights
from tests.support.load import post_all
from tests.support.metrics import Counted
from tests.support.pictures import digit, encoded
from tests.support.problems import is_problem
from tests.support.processes import free_port, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.served

GOOD = encoded(digit("7"))
WAVES = 10


def picky() -> onnx.ModelProto:
    """A linear classifier that looks a weight up in a table of one row, at the place 1 for frames that are full of ink."""
    nodes = [
        node("ReduceMean", "x", "ink", axes=[1, 2, 3], keepdims=0),
        node("Add", "ink tenth", "more"),
        node("Cast", "more", "row", to=onnx.TensorProto.INT64),
        node("Gather", "table row", "scale"),
        node("Flatten", "x", "flat"),
        node("MatMul", "flat w", "scores"),
        node("Mul", "scores scale", "y"),
    ]
    constants = {"tenth": np.array(0.1), "table": np.ones((1, 1)), "w": weights(2)}
    return model(nodes, constants, answer=("N", 2))


def full_frame() -> bytes:
    """A black square, which fills the frame of a model that does not leave a margin."""
    image = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(image).rectangle((16, 16, 47, 47), fill=0)
    return encoded(image)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of one worker with the model."""
    home = tmp_path_factory.mktemp("failing")
    card = add_model(home / "catalogue", "marks", ["a", "b"])
    folder = home / "catalogue" / "marks"
    onnx.save(picky(), folder / MODEL_FILE)
    geometry = Geometry(fit_box=SIZE, centring="box", polarity="light_on_dark")
    changed = {"sha256": file_sha256(folder / MODEL_FILE), "input": card.input.model_copy(update={"geometry": geometry})}
    write_card(card.model_copy(update=changed), folder / CARD_FILE)
    done = models(home, "import", catalogue=home / "catalogue")
    assert done.returncode == 0, done.stderr
    settings = {"CATALOGUE": str(home / "catalogue"), "DEFAULT_MODEL": "marks", "WORKERS": "1", "GALLERY": "false"}
    with start_service(home, free_port(), **settings) as address:
        yield address


def test_a_picture_the_model_fails_on_fails_alone_and_the_session_is_opened_again(address: str) -> None:
    alone = httpx.post(f"{address}/classify", content=GOOD, timeout=30).json()["probabilities"]
    counted = Counted(address)
    failing = httpx.post(f"{address}/classify", content=full_frame(), timeout=30)
    assert "The model failed on this image" in is_problem(failing, 503, "unavailable")
    assert failing.headers["retry-after"]
    for _ in range(WAVES):
        answers = asyncio.run(post_all(address, [GOOD, GOOD, full_frame(), GOOD, GOOD] * 4))
        for place, answer in enumerate(answers):
            if place % 5 == 2:
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            else:
                assert answer.json()["probabilities"] == pytest.approx(alone, abs=1e-4)
    assert httpx.get(f"{address}/readyz", timeout=30).status_code == 200
    until(lambda: counted("session_restarts_total{cpu,marks}") >= 1)
    assert httpx.post(f"{address}/classify", content=GOOD, timeout=30).json()["probabilities"] == pytest.approx(alone)
