"""Fixtures of every room: a model store with the catalogue in it, and a real service on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, free_port, service_environment, start_service


@pytest.fixture(scope="session")
def model_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BENTOML_HOME of the test run's own, with every model of the catalogue imported."""
    home = tmp_path_factory.mktemp("bentoml")
    command = [sys.executable, "-m", "models", "import"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **service_environment(home, 0)}, check=True, capture_output=True)
    return home


@pytest.fixture(scope="session")
def service_address(model_store: Path) -> Iterator[str]:
    """The address of a real `bentoml serve` process with two workers."""
    with start_service(model_store, free_port()) as address:
        yield address
