"""Each patch of BentoML, circus, uvicorn and OpenTelemetry, by its effect in one running service.

A test that fails after an update names the patch that no longer works. The last test ends the service.
"""

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
from circus.client import CircusClient  # type: ignore[import-untyped]

from serving.bento.compat import CHECK_SECONDS
from serving.bento.http_protocol import MAX_HEADERS
from serving.process.runtime_folder import METRICS
from serving.process.workers import RUNTIME_FOLDER
from tests.support.pictures import digit, encoded
from tests.support.problems import is_problem
from tests.support.processes import free_port, runner_of, running, service_environment, workers_of
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN: Final = encoded(digit("7"))
INSIDE: Final = "/inside"  # of patched_service, which only the service imports
PNG: Final = {"Content-Type": "image/png"}
EXIT_SECONDS: Final = 30.0


class Patched:
    """The running service."""

    def __init__(self, client: httpx.Client, process: "subprocess.Popen[bytes]", home: Path, port: int) -> None:
        self.client = client
        self.process = process
        self.parent = psutil.Process(process.pid)
        self.home = home
        self.port = port

    def inside(self) -> Any:
        """What its process does; see ``patched_service``."""
        return self.client.get(INSIDE).raise_for_status().json()


@pytest.fixture(scope="module")
def service(model_store: Path) -> Iterator[Patched]:
    port = free_port()
    address, log = f"http://127.0.0.1:{port}", model_store / f"patched-{port}.log"
    command = [sys.executable, "-m", "bentoml", "serve", "tests.served.patched_service:ImageClassifier"]
    environment = service_environment(model_store, port, WORKERS="1", TOPOLOGY="embedded", DRAIN_SECONDS="2")
    with (
        running(command, f"{address}/readyz", log, environment) as process,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield Patched(client, process, model_store, port)


def test_metrics_are_labelled_by_route(service: Patched) -> None:
    """``label_metrics_by_route``"""
    for path in ("/nowhere/1", "/gallery/00000000-0000-4000-8000-000000000000"):
        assert service.client.get(path).status_code == 404
    lines = service.client.get("/metrics").text.splitlines()
    endpoints = {
        line.partition('endpoint="')[2].partition('"')[0] for line in lines if "bentoml_service_request_total{" in line
    }
    assert {"other", "/gallery/{id}"} <= endpoints, "BentoML does not use the middleware RouteMetrics"
    assert not [endpoint for endpoint in endpoints if "nowhere" in endpoint or "-4000-" in endpoint], "it labels by raw paths"


def test_metrics_are_kept_in_the_runtime_folder(service: Patched) -> None:
    """``use_metrics_folder``"""
    (worker,) = workers_of(service.parent)
    folder = Path(worker.environ()[RUNTIME_FOLDER]) / METRICS
    assert Path(worker.environ()["PROMETHEUS_MULTIPROC_DIR"]) == folder, "BentoML chose another folder for the metrics"
    assert list(folder.glob(f"counter_{worker.pid}.db")), "the worker's metrics are not in that folder"
    assert not (service.home / "prometheus_multiproc_dir").exists(), "BentoML made its folder in the model store too"


def test_arbiter_takes_commands_of_its_user_alone_and_checks_every_second(service: Patched) -> None:
    """``harden_arbiter``"""
    listening = [one for one in service.parent.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    assert [one.laddr.port for one in listening] == [service.port], "circus listens on TCP ports"
    sockets = [Path(str(one.laddr)) for one in service.parent.net_connections("unix") if str(one.laddr).endswith("/commands")]
    assert sockets, "circus has no command endpoint in a folder"
    assert stat.S_IMODE(sockets[0].parent.stat().st_mode) == 0o700, "other users can reach circus' commands"
    client = CircusClient(endpoint=f"ipc://{sockets[0]}", timeout=10)
    try:
        options = client.call({"command": "globaloptions", "properties": {}})["options"]
    finally:
        client.stop()
    assert options["check_delay"] == CHECK_SECONDS, "circus checks less often for dead workers"


def test_request_leaves_no_timer(service: Patched) -> None:
    """``disable_middleware``: BentoML's timeout"""
    before = service.inside()["timers"]
    for _ in range(50):
        service.client.post("/classify", content=SEVEN)
    assert service.inside()["timers"] < before + 25, "BentoML's timeout middleware keeps a timer for each request"


def test_request_is_not_examined_by_opentelemetry(service: Patched) -> None:
    """``disable_middleware``: OpenTelemetry"""
    functions = service.inside()["functions"]
    assert not [function for function in functions if "opentelemetry" in function], "OpenTelemetry's middleware runs"


def test_runner_is_not_started_without_its_topology(service: Patched) -> None:
    """``skip_unserved``"""
    assert runner_of(service.parent) == [], "BentoML starts a service that is Unserved"
    assert len(workers_of(service.parent)) == 1


def test_uvicorn_limits_headers(service: Patched) -> None:
    """``limit_http``"""
    response = service.client.get("/livez", headers={f"X-{number}": "y" for number in range(MAX_HEADERS + 1)})
    assert response.status_code == 431, "uvicorn does not use LimitedProtocol"
    is_problem(response, 431, "headers_too_large")


def test_uvicorn_reads_the_body_of_a_request_that_offers_another_protocol(service: Patched) -> None:
    """``LimitedProtocol._ignore_upgrade``"""
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    for content in (SEVEN, iter([SEVEN])):  # with its length, and in chunks
        answer = service.client.post("/classify", content=content, headers=offer)
        assert answer.status_code == 200, f"uvicorn drops the body: {answer.text}"


def test_schema_is_made_once_in_a_thread(service: Patched) -> None:
    """``cache_schema``"""
    first, second = (service.client.get("/schema.json").raise_for_status().json() for _ in range(2))
    assert first == second
    assert {route["route"] for route in first["routes"]} == {"/classify", "/classify/batch", "/explain"}
    threads = service.inside()["schema_threads"]
    assert len(threads) == 1, f"BentoML made its schema {len(threads)} times for two requests"
    assert threads != ["MainThread"], "BentoML made its schema in the event loop"


def test_bentoml_apis_get_the_request_unread(service: Patched) -> None:
    """``ImageInput``, ``BatchInput``: on two routes that ``patched_service`` takes off the fast path"""
    answer = service.client.post("/explain", content=SEVEN, headers=PNG)
    assert answer.status_code == 200 and answer.json()["label"] == "7", f"BentoML read the request itself: {answer.text}"
    is_problem(service.client.post("/explain", content=SEVEN[:100], headers=PNG), 422, "undecodable")
    answers = service.client.post("/classify/batch", files=[("images", SEVEN), ("images", SEVEN[:100])]).json()
    assert [one.get("label", one.get("code")) for one in answers] == ["7", "undecodable"]


def test_gallery_is_in_bentoml_home(service: Patched) -> None:
    """``bentoml_home``"""
    assert service.client.post("/gallery", content=SEVEN, headers=PNG).status_code == 201
    assert (service.home / "gallery.db").exists(), "BentoML's home folder is not BENTOML_HOME"


def test_sigterm_drains(service: Patched) -> None:
    """``record_server``"""
    service.process.send_signal(signal.SIGTERM)
    seen: list[object] = []

    def is_draining() -> bool:
        try:
            seen.append(httpx.get(f"{service.client.base_url}/readyz", timeout=EXIT_SECONDS).status_code)
        except httpx.TransportError:
            seen.append("refused")
        return seen[-1] != 200

    until(is_draining, EXIT_SECONDS)
    assert seen[-1] == 503, "the worker does not know its uvicorn server: SIGTERM ended it without draining"
    assert httpx.post(f"{service.client.base_url}/classify", content=SEVEN, timeout=EXIT_SECONDS).json()["label"] == "7"
    assert service.process.wait(EXIT_SECONDS) == 0
