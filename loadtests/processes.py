"""Process harness: starts and stops the servers under test, each with two workers."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import httpx
import psutil

from loadtests.images import load_images
from loadtests.requests import FORM_TYPE, encode_form
from loadtests.resources import ProcessStats, sample_processes

ROOT: Final = Path(__file__).parents[1]
READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
# A server has started when its processes use less than this share of a CPU between two samples.
IDLE_CPU_SHARE: Final = 0.1
SAMPLE_SECONDS: Final = 0.3


class ServerError(Exception):
    """A server did not start or gave a wrong response; the text has its log or the response."""


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """A server: the arguments to Python that start it, with ``{port}`` in place of the port, and its environment.

    ``packages`` are those that the group ``peers`` brings for it, the server itself first.
    """

    name: str
    title: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        """Whether its packages are installed."""
        return all(find_spec(package) for package in self.packages)


_BASELINES: Final = "loadtests.baselines"
_UVICORN: Final = "-m uvicorn --host 127.0.0.1 --port {port} --workers 2 --loop uvloop --http httptools --no-access-log"
_BENTOML: Final = "bentoml serve --host 127.0.0.1 --port {port}"
_SERVICE: Final = ("-m", "bentoml", "serve", "service:ImageClassifier")
_DOCUMENTED: Final = f"{_BASELINES}.bentoml_documented:Documented"
# Ray listens on 127.0.0.1 alone, and neither sends usage statistics nor collects metrics about itself.
_RAY: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_open_telemetry": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
}
# This service, by topology; and all that the benchmark compares.
TOPOLOGIES: Final = ("embedded", "runner")
SERVERS: Final = {
    server.name: server
    for server in (
        ServerUnderTest("simplest", "FastAPI, simplest", (*_UVICORN.split(), f"{_BASELINES}.fastapi_simplest:app")),
        ServerUnderTest("fastapi", "FastAPI", (*_UVICORN.split(), f"{_BASELINES}.fastapi_app:app")),
        ServerUnderTest("bentoml", "BentoML as documented", ("-m", *_BENTOML.split(), _DOCUMENTED)),
        ServerUnderTest("litserve", "LitServe", ("-m", f"{_BASELINES}.litserve_app", "{port}"), packages=("litserve",)),
        ServerUnderTest("ray", "Ray Serve", ("-m", f"{_BASELINES}.ray_serve_app", "{port}"), _RAY, ("ray", "grpc")),
        *(ServerUnderTest(name, f"this service, {name}", _SERVICE, {"TOPOLOGY": name, "WORKERS": "2"}) for name in TOPOLOGIES),
    )
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; ``start_seconds`` passed from its start to its first correct response."""

    address: str
    process: psutil.Popen
    start_seconds: float

    def sample(self) -> ProcessStats:
        """Read the stats of its live processes."""
        return sample_processes(self.process)


def import_models(home: Path, **settings: str) -> None:
    """Import the models into a BentoML store at ``home``."""
    run_models(home, "import", **settings)


def run_models(home: Path, *arguments: str, **settings: str) -> None:
    """Run the command of the models with a BentoML store at ``home``.

    Raises:
        CalledProcessError: it failed.
    """
    command, environment = [sys.executable, "-m", "models", *arguments], _environment(home, settings)
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def start_service(topology: str, **settings: str) -> Iterator[Server]:
    """Run this service with a temporary model store; see ``start_server``."""
    with tempfile.TemporaryDirectory() as folder:
        import_models(Path(folder))
        with start_server(SERVERS[topology], Path(folder), **settings) as server:
            yield server


@contextmanager
def start_server(under_test: ServerUnderTest, home: Path, **settings: str) -> Iterator[Server]:
    """Run a server until the block ends; the block begins when responses are correct and the start is over.

    ``settings`` are added to its environment. Its log is written to ``home``.

    Raises:
        ServerError: it ended, or was not ready within ``READY_SECONDS``.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = _environment(home, {**under_test.environment, **settings, "PORT": str(port)})
    command = [sys.executable, *(argument.format(port=port) for argument in under_test.arguments)]
    log, address, started = home / f"{under_test.name}.log", f"http://127.0.0.1:{port}", time.monotonic()
    with log.open("wb") as output:
        process = psutil.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        try:
            _wait_until_correct(address, process)
            server = Server(address, process, time.monotonic() - started)
            _wait_until_idle(server)
        except ServerError as error:
            raise ServerError(f"{under_test.name} {error}:\n{log.read_text()}") from error
        yield server
    finally:
        if process.poll() is None:
            family = [process, *process.children(recursive=True)]
            process.terminate()
            for one in psutil.wait_procs(family, timeout=STOP_SECONDS)[1]:
                one.kill()
        process.wait()


def post_form(address: str, body: bytes) -> httpx.Response:
    """Post one form."""
    return httpx.post(address, content=body, headers={"Content-Type": FORM_TYPE}, timeout=10)


def _environment(home: Path, settings: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", **settings}


def _wait_until_correct(address: str, process: psutil.Popen) -> None:
    limit, fault = time.monotonic() + READY_SECONDS, ""
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise ServerError(f"ended with status {process.returncode}")
        try:
            for name, image in load_images().items():
                response = post_form(f"{address}/classify", encode_form([image.data]))
                if response.status_code != 200 or response.json()["label"] != image.label:
                    raise ServerError(f"answered {response.status_code} {response.text[:300]} to the image {name}")
        except (ServerError, httpx.TransportError) as error:
            fault = str(error)
            time.sleep(0.05)  # between polls; the responses decide
        else:
            return
    raise ServerError(f"was not ready within {READY_SECONDS:g} s ({fault})")


def _wait_until_idle(server: Server) -> None:
    """Wait until all workers have started, not only the one that responded."""
    limit, used = time.monotonic() + READY_SECONDS, -READY_SECONDS
    while (now := server.sample().cpu_seconds) - used > IDLE_CPU_SHARE * SAMPLE_SECONDS:
        if time.monotonic() > limit:
            raise ServerError("uses the CPU without a request")
        used = now
        time.sleep(SAMPLE_SECONDS)
