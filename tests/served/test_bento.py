"""The Bento: built from the store, served from an empty directory, alone and moved to another machine's store."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.pictures import digit, encoded
from tests.processes import ROOT, free_port, running, service_environment

pytestmark = pytest.mark.served


def bentoml(home: Path, *arguments: str) -> None:
    """Run the bentoml command with a store of its own."""
    command = [sys.executable, "-m", "bentoml", *arguments]
    environment = {**os.environ, **service_environment(home, 3000)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)


def classify(home: Path, bento: str, directory: Path) -> str:
    """The label a Bento served from ``directory`` gives to a seven."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bentoml", "serve", bento]
    environment = service_environment(home, port, WORKERS="1")
    with running(command, f"{address}/readyz", home / f"bento-{port}.log", environment, cwd=directory):
        response = httpx.post(f"{address}/classify", content=encoded(digit("7")), headers={"Content-Type": "image/png"})
    return str(response.json()["label"])


def test_a_bento_carries_its_models(model_store: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    bentoml(model_store, "build", "-f", "bentofile.yaml")
    assert classify(model_store, "image_classifier:latest", empty) == "7"
    (dockerfile,) = model_store.glob("bentos/image_classifier/*/env/docker/Dockerfile")
    assert "ARG HOST=0.0.0.0" in dockerfile.read_text(encoding="utf-8")

    moved, other_home = tmp_path / "image_classifier.bento", tmp_path / "home"
    bentoml(model_store, "export", "image_classifier:latest", str(moved))
    other_home.mkdir()
    bentoml(other_home, "import", str(moved))
    shutil.rmtree(model_store / "bentos")
    assert classify(other_home, "image_classifier:latest", empty) == "7"
