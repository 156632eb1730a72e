"""Containers of a real Docker engine: started, waited for, and removed by their id."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.support.processes import free_port
from tests.support.waiting import until

START_SECONDS = 120.0
COMMAND_SECONDS = 300.0
# The strictest way to run both images.
HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def docker(*arguments: str, check: bool = True) -> str:
    """Run the Docker client; returns its standard output. Fails with its standard error."""
    ended = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    assert not check or ended.returncode == 0, f"docker {' '.join(arguments)}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


class Container:
    """A running container whose port is published on loopback."""

    def __init__(self, identity: str, address: str) -> None:
        self.identity = identity
        self.address = address

    @property
    def state(self) -> dict[str, Any]:
        """What the engine knows of it: Running, ExitCode, Health and so on."""
        state: dict[str, Any] = json.loads(docker("inspect", "--format={{json .State}}", self.identity))
        return state

    @property
    def log(self) -> str:
        """What it printed, both streams."""
        ended = subprocess.run(["docker", "logs", self.identity], capture_output=True, text=True, check=True)
        return ended.stdout + ended.stderr

    def python(self, code: str) -> str:
        """Run Python in it as its own user; returns what it printed."""
        return docker("exec", self.identity, "python", "-c", code).strip()

    def answers(self, path: str) -> bool:
        """Whether a path answers 200; fails if the container has ended."""
        assert self.state["Running"], self.log
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.address}{path}", timeout=2).status_code == 200
        return False


@contextmanager
def running_container(image: str, *options: str, port: int, ready: str) -> Iterator[Container]:
    """Run an image with options of ``docker run``, until ``ready`` answers 200 at its published ``port`` and the block ends."""
    published = free_port()
    identity = docker("run", "--detach", f"--publish=127.0.0.1:{published}:{port}", *options, image).strip()
    try:
        container = Container(identity, f"http://127.0.0.1:{published}")
        until(lambda: container.answers(ready), START_SECONDS)
        yield container
    finally:
        docker("rm", "--force", "--volumes", identity)


def run_once(image: str, code: str, *options: str) -> str:
    """Run Python in a new container of an image, without a network; returns what it printed."""
    return docker("run", "--rm", "--network=none", *HARDENED, *options, "--entrypoint=python", image, "-c", code).strip()
