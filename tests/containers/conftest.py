"""A Docker engine, and both images, built once per run as `make image` and `make image-ui` do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.images import NAMES, project_version
from tests.support.locks import locked
from tests.support.processes import ROOT, service_environment

BUILD_SECONDS = 900.0


@pytest.fixture(scope="package", autouse=True)
def networks(network_lock: Path) -> Iterator[None]:
    """No Chromium of another process runs while containers start and end."""
    with locked(network_lock):
        yield


class Images(NamedTuple):
    """The names of the images of the API and of the page."""

    api: str
    page: str


@pytest.fixture(scope="session")
def engine() -> str:
    """The version of the Docker engine that answers; the test is skipped where none does."""
    if shutil.which("docker"):
        ended = subprocess.run(
            ["docker", "version", "--format={{.Server.Version}}"], capture_output=True, text=True, check=False
        )
        if ended.returncode == 0:
            return ended.stdout.strip()
    pytest.skip('no Docker engine answers; `eval "$(tests/containers/engine.sh)"` starts one')


@pytest.fixture(scope="session")
def images(engine: str, model_store: Path, tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Images:
    """Both images, built by one process of the run, while the others wait."""
    assert engine
    names = Images(*(f"{NAMES[image]}:{project_version()}" for image in ("api", "page")))
    folder = tmp_path_factory.getbasetemp().parent
    with locked(folder / f"images-{testrun_uid}.lock"):
        done = folder / f"images-{testrun_uid}.done"
        if not done.exists():
            build(model_store)
            done.touch()
    return names


def build(home: Path) -> None:
    """Build a Bento in the store at ``home``, and both images at once."""
    environment = {**os.environ, **service_environment(home, 3000)}
    bento = [sys.executable, "-m", "bentoml", "build", "-f", "bentofile.yaml"]
    subprocess.run(bento, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=BUILD_SECONDS)
    commands = [[sys.executable, "-m", "deploy.images", image] for image in ("api", "page")]
    builds = [
        subprocess.Popen(each, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for each in commands
    ]
    outputs = [each.communicate(timeout=BUILD_SECONDS)[0] for each in builds]
    for command, output in zip(builds, outputs, strict=True):
        assert command.returncode == 0, output
