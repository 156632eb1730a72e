"""Replaces the containers of Compose services one at a time: ``make roll``. Needs Python and Docker alone.

For each old container a new one starts beside it. Once that is healthy, the old one is stopped, which completes its requests. A
new container that ends or becomes unhealthy is removed, and the old ones that are left go on serving.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

HEALTHY_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.5
HEALTH: Final = "{{.State.Health.Status}} {{.State.Status}} {{.RestartCount}}"


class UpdateFailed(Exception):
    """A new container did not become healthy; the message says which, and what it wrote last."""


def output(*command: str) -> str:
    """What a command prints; its messages go to standard error.

    Raises:
        CalledProcessError: it failed.
    """
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class Stack:
    """The containers of a Compose project."""

    def __init__(self, compose: Sequence[str]) -> None:
        self._compose = compose

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers, of stopped ones too."""
        return output(*self._compose, "ps", "--all", "--quiet", "--no-trunc", service).split()

    def start_one_more(self, service: str) -> str:
        """Start a container of a service beside those it has, as compose.yaml and the images are now; returns its id."""
        before = self.containers(service)
        scale = f"{service}={len(before) + 1}"
        output(*self._compose, "up", "--detach", "--no-deps", "--no-recreate", "--scale", scale, service)
        (started,) = set(self.containers(service)) - set(before)
        return started

    def replace(self, service: str) -> None:
        """Replace every container of a service.

        Raises:
            UpdateFailed: a new container did not become healthy; it is removed.
        """
        for old in self.containers(service):
            new = self.start_one_more(service)
            try:
                wait_until_healthy(new)
            except UpdateFailed:
                output("docker", "rm", "--force", new)
                raise
            output("docker", "stop", old)
            output("docker", "rm", old)
            sys.stdout.write(f"{service}: {old[:12]} replaced by {new[:12]}\n")


def wait_until_healthy(container: str, seconds: float = HEALTHY_SECONDS) -> None:
    """Return once the health check of a container succeeds.

    Raises:
        UpdateFailed: it ended, was restarted, is unhealthy, or takes longer than ``seconds``.
    """
    limit = time.monotonic() + seconds
    while (state := output("docker", "inspect", "--format", HEALTH, container).strip()) != "healthy running 0":
        if state != "starting running 0" or time.monotonic() > limit:
            logs = subprocess.run(
                ["docker", "logs", "--tail", "10", container], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            raise UpdateFailed(f"Container {container[:12]} did not become healthy ({state}). It wrote:\n{logs.stdout}")
        time.sleep(POLL_SECONDS)


def main() -> int:
    """Replace the containers of services: ``SERVICE ... -- docker compose OPTION ...``. Returns the exit status."""
    end = sys.argv.index("--")
    stack = Stack(sys.argv[end + 1 :])
    try:
        for service in sys.argv[1:end]:
            stack.replace(service)
    except UpdateFailed as error:
        sys.stderr.write(
            f"{error}The containers that were not replaced go on serving. Name the earlier image and roll again.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
