"""A model brought along, its batch fixed as in many exports, served in batches by a real `bentoml serve` process."""

import asyncio
from collections.abc import Iterator

import httpx
import onnx
import pytest
from onnx import helper

from loadtests.samples import samples
from models.card import MODEL_FILE
from models.store import CATALOGUE
from tests.models.catalogues import models
from tests.support.load import post_all
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

WAVES = 20


def fix_batch(graph: onnx.GraphProto) -> None:
    """Fix a model of digits to one picture, as exporters do: at its ends, and by a Reshape where it was flattened."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    flatten = next(node for node in graph.node if node.op_type == "Flatten")
    gemm = next(node for node in graph.node if flatten.output[0] in node.input)
    weight = next(one for one in graph.initializer if one.name == gemm.input[1])
    flatten.op_type = "Reshape"
    flatten.input.append("one_row")
    del flatten.attribute[:]
    graph.initializer.append(helper.make_tensor("one_row", onnx.TensorProto.INT64, [2], [1, weight.dims[1]]))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of which ``zoo-digits`` is the only model."""
    home = tmp_path_factory.mktemp("imported")
    model = onnx.load(CATALOGUE / "digits" / MODEL_FILE)
    fix_batch(model.graph)
    onnx.save(model, home / "zoo.onnx")
    catalogue = home / "catalogue"
    done = models(home, "import", str(home / "zoo.onnx"), "--name", "zoo-digits", "--labels", "0-9", catalogue=catalogue)
    assert done.returncode == 0, done.stderr
    assert "batch size of 1 made dynamic" in done.stdout
    settings = {"CATALOGUE": str(catalogue), "DEFAULT_MODEL": "zoo-digits", "WORKERS": "1"}
    with start_service(home, free_port(), **settings) as address:
        yield address


def test_an_imported_model_answers_in_batches_as_alone(address: str) -> None:
    pictures = samples()
    alone = [httpx.post(f"{address}/classify", content=picture.data, timeout=30).json() for picture in pictures]
    assert {answer["model"] for answer in alone} == {"zoo-digits"}
    assert [answer["label"] for answer in alone] == [picture.label for picture in pictures]
    sizes = set()
    for _ in range(WAVES):
        answers = asyncio.run(post_all(address, [picture.data for picture in pictures], "/classify?model=zoo-digits"))
        for answer, before in zip(answers, alone, strict=True):
            assert answer.status_code == 200
            assert answer.json()["probabilities"] == pytest.approx(before["probabilities"], abs=1e-4)
            sizes.add(answer.json()["batch_size"])
        if max(sizes) > 1:
            break
    assert max(sizes) > 1


def test_the_catalogue_holds_what_was_imported(address: str) -> None:
    (model,) = httpx.get(f"{address}/models", timeout=30).json()["models"]
    assert model["name"] == "zoo-digits"
