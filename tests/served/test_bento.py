"""The Bento: built from the store, served from an empty directory, alone and moved to another machine's store."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from models.card import CARD_FILE, read_card
from models.store import card_folders
from tests.models.catalogues import models
from tests.support.bentos import bentoml
from tests.support.catalogues import write_catalogue
from tests.support.pictures import digit, encoded
from tests.support.processes import ROOT, free_port, running, service_environment

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))


BUILD = """
import bentoml, json, yaml
options = yaml.safe_load(open("bentofile.yaml"))
bento = bentoml.build(options["service"], include=options["include"], python=options["python"])
print(json.dumps([service.name for service in bento.info.services]))
"""


@contextmanager
def served(home: Path, directory: Path, **settings: str) -> Iterator[httpx.Client]:
    """A client of the latest Bento, served from ``directory``."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bentoml", "serve", "image_classifier:latest"]
    environment = service_environment(home, port, WORKERS="1", **settings)
    with (
        running(command, f"{address}/readyz", home / f"bento-{port}.log", environment, cwd=directory),
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


def names(client: httpx.Client) -> set[str]:
    """The models it serves."""
    return {model["name"] for model in client.get("/models").json()["models"]}


def test_a_bento_carries_its_models(model_store: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    bentoml(model_store, "build", "-f", "bentofile.yaml")
    (dockerfile,) = model_store.glob("bentos/image_classifier/*/env/docker/Dockerfile")
    assert "ENV HOST=0.0.0.0" in dockerfile.read_text(encoding="utf-8")

    moved, other_home = tmp_path / "image_classifier.bento", tmp_path / "home"
    bentoml(model_store, "export", "image_classifier:latest", str(moved))
    other_home.mkdir()
    bentoml(other_home, "import", str(moved))
    shutil.rmtree(model_store / "bentos")
    with served(other_home, empty) as client:
        assert client.post("/classify", content=SEVEN).json()["label"] == "7"
        assert client.post("/gallery", content=SEVEN).status_code == 201
        assert names(client) == {read_card(folder / CARD_FILE).name for folder in card_folders()}


def test_a_bento_built_from_python_carries_the_runner(model_store: Path, tmp_path: Path) -> None:
    environment = {**os.environ, **service_environment(model_store, 3000)}
    command = [sys.executable, "-c", BUILD]
    built = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    assert json.loads(built.stdout.splitlines()[-1]) == ["image_classifier", "image_classifier_runner"]
    with served(model_store, tmp_path, TOPOLOGY="runner") as client:
        assert client.post("/classify", content=SEVEN).json()["label"] == "7"
    shutil.rmtree(model_store / "bentos")


def test_a_bento_carries_any_catalogue_and_its_default_model(tmp_path: Path) -> None:
    catalogue, empty = tmp_path / "catalogue", tmp_path / "empty"
    empty.mkdir()
    write_catalogue(catalogue)
    imported = models(tmp_path, "import", catalogue=catalogue)
    assert imported.returncode == 0, imported.stderr
    settings = service_environment(tmp_path, 3000, CATALOGUE=str(catalogue), DEFAULT_MODEL="characters")
    command = [sys.executable, "-m", "deploy.bento", "bentofile.yaml"]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, check=False, capture_output=True, text=True, timeout=120
    )
    assert built.returncode == 0, built.stderr
    shutil.rmtree(catalogue)
    with served(tmp_path, empty) as client:
        assert names(client) == {"digits", "letters", "category", "characters"}
        answer = client.post("/classify", content=SEVEN).json()
        assert (answer["model"], answer["label"], answer["category"]["label"]) == ("characters", "7", "digit")
        assert client.post("/models/reload").status_code == 200
