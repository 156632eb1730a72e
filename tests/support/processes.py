"""Real processes for the served and browser tests: started on loopback, waited for, and ended by their id."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx
import psutil

ROOT = Path(__file__).parent.parent.parent
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.05
PRIORITY = -10
SERVE = [sys.executable, "-m", "bentoml", "serve", "service:ImageClassifier"]


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = READY_SECONDS) -> None:
    """Return once ``address`` answers 200; fail with the log when the process ends or the time is up."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode} before it was ready:\n{log.read_text()}")
        with suppress(httpx.TransportError):
            if httpx.get(address, timeout=1).status_code == 200:
                return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{address} was not ready within {seconds:g} s:\n{log.read_text()}")


@contextmanager
def running(
    command: list[str], ready: str, log: Path, environment: Mapping[str, str], cwd: Path = ROOT
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process from when ``ready`` answers 200 until the block ends; then SIGTERM, and SIGKILL if it does not go."""
    with log.open("wb") as output, started(command, output, environment, cwd) as process:
        wait_for(ready, process, log)
        yield process


@contextmanager
def started(
    command: list[str], output: IO[bytes], environment: Mapping[str, str], cwd: Path = ROOT
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process until the block ends; then SIGTERM, and SIGKILL if it does not go."""
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def service_environment(home: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a service with a model store of its own, which answers 504 on no machine that is merely busy."""
    fixed = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "PORT": str(port)}
    return {**fixed, "WORKERS": "2", "DEADLINE_SECONDS": "30", **settings}


@contextmanager
def start_service(home: Path, port: int, service: str = "service:ImageClassifier", **settings: str) -> Iterator[str]:
    """A real `bentoml serve` of this checkout on ``port``; the models must be in the store at ``home``. Gives its address."""
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bentoml", "serve", service]
    environment = service_environment(home, port, **settings)
    with running(command, f"{address}/readyz", home / f"service-{port}.log", environment):
        yield address


def processes_of(address: str) -> list[psutil.Process]:
    """All of the service at the address: what was started with its port."""
    port = address.rpartition(":")[2]
    return [one for one in psutil.process_iter(["cmdline", "environ"]) if (one.info["environ"] or {}).get("PORT") == port]


def prioritise(address: str) -> None:
    """Give a service priority over other processes, so that it is late only when it is its own doing; only root may."""
    for process in processes_of(address):
        for thread in process.threads():  # all, since they wait for each other's interpreter lock
            with suppress(PermissionError, ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, thread.id, PRIORITY)


@contextmanager
def halt(process: psutil.Process) -> Iterator[None]:
    """The process stands still until the block ends or somebody has it go on; it may have ended by then."""
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def workers_of(parent: psutil.Process) -> list[psutil.Process]:
    """The living API workers of a service's parent process."""
    return _children(parent, runner=False)


def runner_of(parent: psutil.Process) -> list[psutil.Process]:
    """The living runner of a service's parent process, as a list of one or none."""
    return _children(parent, runner=True)


def _children(parent: psutil.Process, *, runner: bool) -> list[psutil.Process]:
    found = []
    for process in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            is_runner = "image_classifier_runner" in process.cmdline()
            if process.status() != psutil.STATUS_ZOMBIE and is_runner == runner:
                found.append(process)
    return found


def refused_start(home: Path, **environment: str) -> str:
    """The one line that a start with this store and environment prints before it ends with status 2."""
    settings = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", **environment}
    ended = subprocess.run(
        SERVE, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr
