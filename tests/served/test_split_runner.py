"""API workers and a runner as services of their own, with the commands of deploy/kubernetes/overlays/split-runner."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest
import yaml

from serving.bento.service_options import RUNNER_NAME
from serving.startup import RUNNER_KEY
from tests.support.forwarder import Forwarder, forwarding
from tests.support.metrics import scrape
from tests.support.pictures import digit, encoded
from tests.support.problems import is_problem
from tests.support.processes import ROOT, STOP_SECONDS, free_port, running, service_environment
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
OVERLAY = ROOT / "deploy" / "kubernetes" / "overlays" / "split-runner"
KEY = "a key for the runner"
CLIENTS = 8
PAUSE_SECONDS = 0.02  # of a client after an answer, so that something of the machine is left for the runner that starts


def command_of(component: str, runner: int = 0) -> list[str]:
    """The command of a container, for this checkout and a runner on a loopback port."""
    resources = yaml.safe_load_all((OVERLAY / f"{component}.yaml").read_text())
    (deployment,) = [resource for resource in resources if resource["kind"] == "Deployment"]
    ((python, *arguments),) = [container["command"] for container in deployment["spec"]["template"]["spec"]["containers"]]
    assert python == "python"
    here = {
        "/app/bento": "service:ImageClassifier",
        f"{RUNNER_NAME}=http://runner:3000": f"{RUNNER_NAME}=http://127.0.0.1:{runner}",
    }
    return [sys.executable, *(here.get(argument, argument) for argument in arguments)]


@contextmanager
def start_runner(store: Path, key: str = KEY) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """A runner that is ready; gives its port and parent process."""
    port = free_port()
    settings = service_environment(store, port, TOPOLOGY="runner", DEVICE="cpu") | {RUNNER_KEY: key}
    ready = f"http://127.0.0.1:{port}/readyz"
    with running(command_of("runner"), ready, store / f"runner-{port}.log", settings) as process:
        yield port, process


@contextmanager
def start_api(store: Path, runner: int) -> Iterator[str]:
    """API workers that call the runner at a port; they are alive, and ready if it is. Gives their address."""
    port = free_port()
    settings = service_environment(store, port, TOPOLOGY="runner", DEVICE="cpu") | {RUNNER_KEY: KEY}
    address = f"http://127.0.0.1:{port}"
    with running(command_of("api", runner), f"{address}/livez", store / f"api-{port}.log", settings):
        yield address


@pytest.fixture
def service(model_store: Path) -> Iterator[tuple[str, Forwarder]]:
    """API workers, and the forwarder between them and a runner, which is not there yet."""
    with forwarding() as forwarder, start_api(model_store, forwarder.port) as address:
        yield address, forwarder


def status(address: str) -> int:
    return httpx.get(address, timeout=60).status_code


def test_api_is_alive_without_its_runner_and_ready_with_it(service: tuple[str, Forwarder], model_store: Path) -> None:
    address, forwarder = service
    assert (status(f"{address}/livez"), status(f"{address}/readyz")) == (200, 503)
    is_problem(httpx.post(f"{address}/classify", content=SEVEN, timeout=30), 503, "unavailable")
    with start_runner(model_store) as (port, _):
        assert status(f"http://127.0.0.1:{port}/livez") == 200
        is_problem(httpx.get(f"http://127.0.0.1:{port}/metrics"), 401, "unauthorized")
        forwarder.target = port
        until(lambda: [status(f"{address}/readyz") for _ in range(8)] == [200] * 8)
        assert httpx.post(f"{address}/classify", content=SEVEN, timeout=30).json()["label"] == "7"
    forwarder.target = None
    until(lambda: status(f"{address}/readyz") == 503)
    assert status(f"{address}/livez") == 200


def test_runner_with_another_key_is_not_used(service: tuple[str, Forwarder], model_store: Path) -> None:
    address, forwarder = service
    with start_runner(model_store, key="another key") as (port, _):
        forwarder.target = port
        is_problem(httpx.post(f"{address}/classify", content=SEVEN, timeout=30), 503, "unavailable")
        assert status(f"{address}/readyz") == 503


def test_runner_is_replaced_under_load_without_a_failed_request(service: tuple[str, Forwarder], model_store: Path) -> None:
    address, forwarder = service
    with start_runner(model_store) as (first, process), ThreadPoolExecutor(CLIENTS) as pool:
        forwarder.target = first
        until(lambda: [status(f"{address}/readyz") for _ in range(8)] == [200] * 8)
        stop = Event()
        clients = [pool.submit(classify_until, address, stop) for _ in range(CLIENTS)]
        try:
            with start_runner(model_store) as (second, _):
                forwarder.target = second
                process.terminate()
                assert process.wait(STOP_SECONDS) == 0
                before = scrape(address)["images_total{digits}"]
                until(lambda: scrape(address)["images_total{digits}"] > before + 10 * CLIENTS)
                stop.set()
                answers = [answer for client in clients for answer in client.result()]
        finally:
            stop.set()
    assert len(answers) > 10 * CLIENTS
    assert set(answers) == {(200, "7")}


def classify_until(address: str, stop: Event) -> list[tuple[int, str]]:
    """Classify one image after the other; status and label of the answers."""
    answers = []
    with httpx.Client(base_url=address, timeout=30) as client:
        while not stop.wait(PAUSE_SECONDS):
            response = client.post("/classify", content=SEVEN)
            answers.append((response.status_code, response.json().get("label", response.text)))
    return answers
