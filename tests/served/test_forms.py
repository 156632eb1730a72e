"""Classifiers of every usual form, imported in the sandbox and served in both topologies, answer as onnxruntime by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore

from models.__main__ import main
from tests.models.forms import FORMS, Form, picture, png
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

# One of each kind of conversion, because every import starts a sandbox.
NAMES = (
    "nchw",
    "nhwc",
    "np",
    "float16",
    "uint8",
    "unfreeable-batch",
    "one-picture",
    "external",
    "own-softmax",
    "sigmoids",
    "one-sigmoid",
    "zip-map",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Form, Path]]:
    folder = tmp_path_factory.mktemp("files")
    return {form.name: (form, form.save(folder)) for form in FORMS if form.name in NAMES}


@pytest.fixture(scope="module")
def home(files: dict[str, tuple[Form, Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BENTOML_HOME with the models in its store, and the catalogue beside."""
    home = tmp_path_factory.mktemp("forms")
    (home / "models").mkdir()
    BentoMLContainer.model_store.set(ModelStore(home / "models"))
    try:
        for name, (form, path) in files.items():
            catalogue = ["--catalogue", str(home / "catalogue")]
            assert main([*catalogue, "import", str(path), "--name", name, *form.options]) == 0
    finally:
        BentoMLContainer.model_store.reset()
    return home


@pytest.fixture(scope="module", params=["embedded", "runner"])
def address(home: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    settings = {"CATALOGUE": str(home / "catalogue"), "DEFAULT_MODEL": NAMES[0], "WORKERS": "1", "TOPOLOGY": request.param}
    with start_service(home, free_port(), **settings) as address:
        yield address


@pytest.mark.parametrize("name", NAMES)
def test_served_model_answers_as_by_hand(address: str, files: dict[str, tuple[Form, Path]], name: str) -> None:
    form, path = files[name]
    answer = ask(address, "classify", name)
    expected = dict(zip(form.labels, form.probabilities(path, picture()), strict=True))
    assert answer["probabilities"] == pytest.approx(expected, abs=form.tolerance)
    assert answer["label"] == max(expected, key=expected.__getitem__)


@pytest.mark.parametrize("name", ["nchw", "uint8", "sigmoids"])
def test_explanation_shows_the_picture_and_what_mattered(address: str, name: str) -> None:
    answer = ask(address, "explain", name)
    assert [stage["name"] for stage in answer["stages"]] == ["picture", "input"]
    assert answer["heatmap"]["note"].startswith("Covering the part that mattered most")


def test_card_in_the_catalogue_says_how_a_model_is_called(address: str) -> None:
    cards = {model["name"]: model["card"] for model in httpx.get(f"{address}/models", timeout=30).json()["models"]}
    assert cards["unfreeable-batch"]["fixed_batch"] == 1
    assert any("called once for each image" in remark for remark in cards["unfreeable-batch"]["remarks"])
    assert (cards["uint8"]["input"]["type"], cards["nhwc"]["input"]["layout"]) == ("uint8", "NHWC")
    assert cards["sigmoids"]["output"]["multi_label"] is True


def ask(address: str, route: str, model: str) -> dict[str, Any]:
    """The answer of a route for the picture."""
    response = httpx.post(f"{address}/{route}", params={"model": model}, content=png(picture()), timeout=60)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
