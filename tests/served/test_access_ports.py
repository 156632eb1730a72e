"""What of a service can be reached, by others and by other users of the machine, and that nothing of it unpickles for them."""

import json
import os
import pickle
import stat
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.samples import samples
from tests.support.problems import is_problem
from tests.support.processes import SERVE, free_port, running, service_environment

pytestmark = pytest.mark.served

PICTURE = samples()[0]
PICKLE = "application/vnd.bentoml+pickle"
TYPES = [PICKLE, PICKLE.title(), f"{PICKLE}; v=1", "application/json", "multipart/form-data; boundary=x", "text/plain", ""]
RUNNER_PATHS = ["/status", "/digits/cpu", "/livez"]
PATHS = ["/classify", "/classify/", "//classify", "/class%69fy", "/classify/batch", "/explain", "/models", "/", *RUNNER_PATHS]


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.mkdir, (self.folder,)


def family(parent: int) -> list[psutil.Process]:
    """A service's processes: the parent, its API workers and its runner."""
    return [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]


def listening(processes: list[psutil.Process]) -> set[tuple[str, int]]:
    """Addresses of TCP ports on which any of them accepts."""
    connections = [connection for process in processes for connection in process.net_connections("tcp")]
    return {(one.laddr.ip, one.laddr.port) for one in connections if one.status == psutil.CONN_LISTEN}


def sockets(processes: list[psutil.Process]) -> set[Path]:
    """Unix sockets that have a name, by which others might call."""
    connections = [connection for process in processes for connection in process.net_connections("unix")]
    return {Path(str(one.laddr)) for one in connections if str(one.laddr).startswith("/")}


def post_traps(client: httpx.Client, paths: list[str], folder: Path) -> list[httpx.Response]:
    """What is answered to pickles that would make the folder, sent as everything that BentoML reads."""
    trap = pickle.dumps(Trap(folder))
    with_lengths = {"Buffer-Lengths": str(len(trap)), "Payload-Container": "NdarrayContainer", "Batch-Size": "1"}
    answers = []
    for path in paths:
        for kind in TYPES:
            headers = {"Content-Type": kind} if kind else {}
            answers += [client.post(path, content=trap, headers={**headers, **extra}) for extra in ({}, with_lengths)]
    return answers


def test_a_trap_would_close(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "trapped")))
    assert (tmp_path / "trapped").is_dir()


def check_public_port(port: int, trapped: Path) -> None:
    """The API refuses pickles, and classifies."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        answers = post_traps(client, PATHS, trapped)
        assert all(400 <= answer.status_code < 500 for answer in answers)
        assert client.post("/classify", content=PICTURE.data).json()["label"] == PICTURE.label
    assert not trapped.exists()


def check_runner(client: httpx.Client, trapped: Path) -> None:
    """The runner answers only probes to whoever does not have its service's key."""
    for answer in post_traps(client, RUNNER_PATHS, trapped):
        is_problem(answer, 401, "unauthorized")
    assert {client.get(path).status_code for path in ("/metrics", "/schema.json", "/healthz", "/livez/")} == {401}
    assert {client.get(path).status_code for path in ("/livez", "/readyz")} == {200}
    guess = {"Authorization": "Bearer None", "Content-Type": PICKLE}
    assert client.post("/status", content=json.dumps({}), headers=guess).status_code == 401
    assert not trapped.exists()


@pytest.mark.parametrize(("topology", "workers", "named"), [("embedded", "2", 2), ("runner", "1", 3)])
def test_there_is_one_port_and_it_unpickles_nothing(
    model_store: Path, tmp_path: Path, topology: str, workers: str, named: int
) -> None:
    port, trapped = free_port(), tmp_path / "trapped"
    environment = service_environment(model_store, port, TOPOLOGY=topology, HOST="0.0.0.0", WORKERS=workers)
    with running(SERVE, f"http://127.0.0.1:{port}/readyz", tmp_path / "log", environment) as process:
        processes = family(process.pid)
        assert len(processes) >= 3
        assert listening(processes) == {("0.0.0.0", port)}
        assert [one for each in processes for one in each.net_connections("udp")] == []
        names = sockets(processes)
        assert len(names) == named  # the parent's for commands and for events, and the runner's
        for name in names:
            folder = name.parent.stat()
            assert (folder.st_uid, stat.S_IMODE(folder.st_mode)) == (os.geteuid(), 0o700)
        check_public_port(port, trapped)
        for socket in (name for name in names if name.suffix == ".sock"):
            with httpx.Client(base_url="http://runner", transport=httpx.HTTPTransport(uds=str(socket)), timeout=30) as client:
                check_runner(client, trapped)
            check_public_port(port, trapped)
    assert not any(name.parent.exists() for name in names if name.suffix != ".sock")


def test_the_runner_works_for_its_own_service_alone(model_store: Path, tmp_path: Path) -> None:
    port, trapped = free_port(), tmp_path / "trapped"
    environment = service_environment(model_store, port, TOPOLOGY="runner", HOST="0.0.0.0", WORKERS="1")
    environment["BENTOML_NO_UDS"] = "1"  # what BentoML does by itself where there are no Unix sockets
    with running(SERVE, f"http://127.0.0.1:{port}/readyz", tmp_path / "log", environment) as process:
        ((host, runner),) = listening(family(process.pid)) - {("0.0.0.0", port)}
        assert host == "127.0.0.1"
        with httpx.Client(base_url=f"http://127.0.0.1:{runner}", timeout=30) as client:
            check_runner(client, trapped)
        picture = httpx.post(f"http://127.0.0.1:{port}/classify", content=PICTURE.data, timeout=30)
        assert picture.json()["label"] == PICTURE.label
