"""The servers that are compared, each with two workers: how they are started, checked and stopped."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psutil

from loadtests.bench.pictures import CONTENT_TYPE, form, pictures

ROOT: Final = Path(__file__).parents[2]
READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
# A server has started when its processes use less than this share of a CPU between two looks.
CALM_SHARE: Final = 0.1
LOOK_SECONDS: Final = 0.3


class ContestantError(Exception):
    """A server that did not start or answered wrongly; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server: the arguments to Python that start it, ``{port}`` in the place of the port, and its environment."""

    name: str
    title: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, port: int) -> list[str]:
        """What starts it on a port."""
        return [sys.executable, *(argument.format(port=port) for argument in self.arguments)]


_UVICORN: Final = "--host 127.0.0.1 --port {port} --workers 2 --loop uvloop --http httptools --no-access-log"
_SERVICE: Final = ("-m", "bentoml", "serve", "service:ImageClassifier")

CONTESTANTS: Final = {
    contestant.name: contestant
    for contestant in (
        Contestant("fastapi", "FastAPI", ("-m", "uvicorn", "loadtests.baselines.fastapi_app:app", *_UVICORN.split())),
        Contestant(
            "bentoml",
            "BentoML as documented",
            ("-m", "bentoml", "serve", "loadtests.baselines.bentoml_documented:Documented", "--port", "{port}"),
        ),
        Contestant("embedded", "this service, embedded", _SERVICE, {"TOPOLOGY": "embedded", "WORKERS": "2"}),
        Contestant("runner", "this service, runner", _SERVICE, {"TOPOLOGY": "runner", "WORKERS": "2"}),
    )
}


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant that runs; ``start_seconds`` passed from its start to its first right answer."""

    address: str
    process: psutil.Process
    start_seconds: float

    def cpu_seconds(self) -> float:
        """CPU time that its processes have used so far, user and system."""
        total = 0.0
        for process in [self.process, *self.process.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def largest_megabytes(self) -> float:
        """Resident memory of the largest of its processes."""
        return max(self.megabytes().values())

    def megabytes(self) -> dict[int, float]:
        """Resident memory of its processes by their id."""
        family = [self.process, *self.process.children(recursive=True)]
        return {one.pid: float(one.memory_info().rss) / 2**20 for one in family}


def import_models(home: Path, **settings: str) -> None:
    """Put the models into a BentoML store of the benchmark's own at ``home``."""
    command = [sys.executable, "-m", "models", "import"]
    subprocess.run(command, cwd=ROOT, env=environment(home, **settings), check=True, stdout=subprocess.DEVNULL)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of every process that is measured."""
    return {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", **settings}


@contextmanager
def serving(contestant: Contestant, home: Path) -> Iterator[Server]:
    """A contestant from when it reads the pictures rightly and its start is over until the block ends.

    Raises:
        ContestantError: it ended, or did not get so far in ``READY_SECONDS``; its log is in ``home``.
    """
    port, log = _free_port(), home / f"{contestant.name}.log"
    settings = environment(home, **contestant.environment, PORT=str(port))
    address, started = f"http://127.0.0.1:{port}", time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(contestant.command(port), cwd=ROOT, env=settings, stdout=output, stderr=output)
    root = psutil.Process(process.pid)
    try:
        _wait_until_right(contestant, address, process, log)
        server = Server(address, root, time.monotonic() - started)
        _wait_until_calm(server)
        yield server
    finally:
        _stop(process, root)


def check(address: str) -> None:
    """Post every picture once.

    Raises:
        ContestantError: an answer is not 200 with the right label.
        httpx.TransportError: there is no answer.
    """
    for name, picture in pictures().items():
        response = ask(f"{address}/classify", form([picture.data]))
        if response.status_code != 200 or response.json()["label"] != picture.label:
            raise ContestantError(f"the {name} was answered {response.status_code} {response.text[:300]}")


def ask(address: str, body: bytes) -> httpx.Response:
    """Post one form."""
    return httpx.post(address, content=body, headers={"Content-Type": CONTENT_TYPE}, timeout=10)


def _wait_until_right(contestant: Contestant, address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    limit, fault = time.monotonic() + READY_SECONDS, "nothing was answered"
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise ContestantError(f"{contestant.name} ended with status {process.returncode}:\n{log.read_text()}")
        try:
            check(address)
        except (ContestantError, httpx.TransportError) as error:
            fault = str(error)
            time.sleep(0.05)  # between polls; the answer decides
        else:
            return
    raise ContestantError(f"{contestant.name} was not right within {READY_SECONDS:g} s: {fault}\n{log.read_text()}")


def _wait_until_calm(server: Server) -> None:
    """Until all workers have started, not only the one that answered."""
    limit, used = time.monotonic() + READY_SECONDS, -READY_SECONDS
    while (now := server.cpu_seconds()) - used > CALM_SHARE * LOOK_SECONDS:
        if time.monotonic() > limit:
            raise ContestantError(f"{server.address} uses the CPU without being asked")
        used = now
        time.sleep(LOOK_SECONDS)


def _stop(process: "subprocess.Popen[bytes]", root: psutil.Process) -> None:
    family = root.children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in psutil.wait_procs(family, timeout=STOP_SECONDS)[1]:
        child.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
