"""The API in a container: it starts as the README says and hardened, serves everything, survives its workers, and drains."""

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from loadtests.samples import samples
from tests.containers.conftest import Images
from tests.containers.engine import HARDENED, Container, docker, running_container
from tests.support.postgres import Cluster
from tests.support.processes import free_port
from tests.support.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.slow]

PICTURE = samples()[0]
RESTART_SECONDS = 60.0
# Ids of the workers, of which the API's process is the parent.
WORKERS = """
import os
found = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if open(f"/proc/{pid}/cmdline", "rb").read().split(b"\\0")[1:3] == [b"-m", b"_bentoml_impl.worker.service"]:
            found.append(pid)
    except OSError:
        pass
print(*found)
"""


@pytest.fixture(scope="module")
def api(images: Images) -> Iterator[Container]:
    """A hardened container with two workers."""
    with running_container(
        images.api, *HARDENED, "--env=WORKERS=2", "--health-interval=1s", port=3000, ready="/readyz"
    ) as container:
        yield container


def label(container: Container) -> object:
    return httpx.post(f"{container.address}/classify", content=PICTURE.data, timeout=30).json()["label"]


def test_image_alone_classifies(images: Images, capfd: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    with running_container(images.api, port=3000, ready="/readyz") as container:
        seconds = time.monotonic() - started
        with capfd.disabled():
            print(f"\n{images.api} was ready after {seconds:.1f} s, beside whatever else ran")  # noqa: T201
        assert label(container) == PICTURE.label


def test_hardened_container_serves_every_part_of_the_api(api: Container) -> None:
    with httpx.Client(base_url=api.address, timeout=60) as client:
        assert client.post("/classify", content=PICTURE.data).json()["label"] == PICTURE.label
        assert client.post("/classify?model=characters", content=PICTURE.data).status_code == 200
        assert client.post("/explain", content=PICTURE.data).status_code == 200
        assert client.post("/gallery", content=PICTURE.data).status_code == 201
        assert client.post("/models/reload").status_code == 200
        for path in ("/", "/gallery", "/gallery/export", "/models", "/metrics", "/schema.json", "/docs.json", "/healthz"):
            assert client.get(path).status_code == 200, path


def test_process_has_neither_root_nor_capabilities_and_cannot_write_to_its_code(api: Container) -> None:
    status = dict(
        line.split(":\t", 1) for line in api.python("print(open('/proc/1/status').read())").splitlines() if ":\t" in line
    )
    assert set(status["Uid"].split()) == {"1034"}
    assert set(status["Gid"].split()) == {"1034"}
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"0000000000000000"}
    assert status["NoNewPrivs"] == "1"
    writable = "import os; print([p for p in ('/', '/app', '/app/bento/src', '/app/.venv', '/etc') if os.access(p, os.W_OK)])"
    assert api.python(writable) == "[]"
    assert api.python("import os; print(os.access('/state', os.W_OK), os.access('/tmp', os.W_OK))") == "True True"


def test_code_belongs_to_another_user(images: Images) -> None:
    files = ("/app/bento/src/service.py", "/app/.venv/pyvenv.cfg")
    code = f"import os; print({{(os.stat(file).st_uid, oct(os.stat(file).st_mode)[-3:]) for file in {files}}})"
    assert docker("run", "--rm", "--entrypoint=python", images.api, "-c", code).strip() == "{(0, '644')}"


def test_engine_sees_its_health(api: Container) -> None:
    until(lambda: api.state["Health"]["Status"] == "healthy", 60)


def test_killed_worker_comes_back(api: Container) -> None:
    before = api.python(WORKERS).split()
    assert len(before) == 2
    api.python(f"import os, signal; os.kill({before[0]}, signal.SIGKILL)")
    until(lambda: len(workers := api.python(WORKERS).split()) == 2 and before[0] not in workers, RESTART_SECONDS)
    until(lambda: api.answers("/readyz"), RESTART_SECONDS)
    assert label(api) == PICTURE.label
    assert api.state["Running"]


def test_gallery_outlives_the_container_on_a_volume(images: Images) -> None:
    volume = docker("volume", "create").strip()
    try:
        options = (*HARDENED, f"--volume={volume}:/state", "--env=WORKERS=1")
        with running_container(images.api, *options, port=3000, ready="/readyz") as first:
            saved = httpx.post(f"{first.address}/gallery", content=PICTURE.data, timeout=30).json()["id"]
        with running_container(images.api, *options, port=3000, ready="/readyz") as second:
            assert httpx.get(f"{second.address}/gallery/{saved}", timeout=30).status_code == 200
    finally:
        docker("volume", "rm", volume)


def test_docker_stop_answers_the_request_in_flight_and_ends_with_0(images: Images) -> None:
    options = (*HARDENED, "--env=WORKERS=1", "--env=DRAIN_SECONDS=5")
    with running_container(images.api, *options, port=3000, ready="/readyz") as container:
        port = int(container.address.rpartition(":")[2])
        head = f"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: {len(PICTURE.data)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head.encode() + PICTURE.data[:100])
            stopping = threading.Thread(target=docker, args=("stop", "--time=60", container.identity))
            stopping.start()
            until(lambda: httpx.get(f"{container.address}/readyz", timeout=5).status_code == 503)
            connection.sendall(PICTURE.data[100:])
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        stopping.join(60)
        assert container.state["ExitCode"] == 0, container.log


def test_gallery_in_postgresql(images: Images, postgres: Cluster) -> None:
    port = free_port()
    options = (f"--env=GALLERY_URL={postgres.new_database()}", f"--env=PORT={port}", "--env=HOST=127.0.0.1", "--env=WORKERS=1")
    identity = docker("run", "--detach", "--network=host", *HARDENED, *options, images.api).strip()
    try:
        container = Container(identity, f"http://127.0.0.1:{port}")
        until(lambda: container.answers("/readyz"), 120)
        assert httpx.post(f"{container.address}/gallery", content=PICTURE.data, timeout=30).status_code == 201
        assert len(httpx.get(f"{container.address}/gallery", timeout=30).json()["entries"]) == 1
    finally:
        docker("rm", "--force", "--volumes", identity)


def test_gpu_that_does_not_exist_stops_the_start_with_the_reason(images: Images) -> None:
    identity = docker("run", "--detach", *HARDENED, "--env=DEVICE=gpu", images.api).strip()
    try:
        assert docker("wait", identity).strip() == "2"
        log = Container(identity, "").log
        assert log.count("\n") == 1
        assert "requirements/gpu.txt" in log
    finally:
        docker("rm", "--force", "--volumes", identity)
