"""Two services with one model store and one port number, as two containers with one volume have them."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.samples import samples
from serving.middleware.api_keys import add_key
from serving.process.runtime_folder import METRICS, PREFIX
from serving.process.workers import SHARED
from tests.support.metrics import PREFIX as METRIC
from tests.support.processes import SERVE, free_port, running, service_environment, workers_of
from tests.support.versions import bring, settings
from tests.support.waiting import until

pytestmark = [pytest.mark.served, pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2")]


class Service:
    """A running service, asked with a key, and its parent process."""

    def __init__(self, address: str, key: str, pid: int) -> None:
        self.client = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}", "Connection": "close"}, timeout=60
        )
        self.parent = psutil.Process(pid)

    def classify(self) -> str:
        """The version that answers."""
        answer = self.client.post("/classify", content=samples()[0].data)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["version"])

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        answer = self.client.get("/metrics")
        assert answer.status_code == 200, answer.text
        lines = [line for line in answer.text.splitlines() if line.startswith(f"{METRIC}{name}{{")]
        return sum(float(line.split()[-1]) for line in lines)


@contextlib.contextmanager
def service(host: str, port: int, home: Path, temporary: Path, keys: Path, key: str, workers: int = 2) -> Iterator[Service]:
    """One of them; ``home`` and ``temporary`` are those of both."""
    address = f"http://{host}:{port}"
    environment = service_environment(
        home,
        port,
        HOST=host,
        TMPDIR=str(temporary),
        API_KEYS_FILE=str(keys),
        RATE_LIMIT="1000",
        WORKERS=str(workers),
        **settings(home),
    )
    with running(SERVE, f"{address}/readyz", home / f"{host}.log", environment) as process:
        yield Service(address, key, process.pid)


def test_services_with_one_home_and_port_keep_out_of_each_others_way(tmp_path: Path) -> None:
    bring(tmp_path, "1.0.0")
    keys, port = tmp_path / "keys", free_port()
    key = add_key(keys, "x.db", "admin")  # a name that looks like a file of metrics
    with tempfile.TemporaryDirectory(prefix="t") as folder, contextlib.ExitStack() as stack:
        temporary = Path(folder)
        first = stack.enter_context(service("127.0.0.1", port, tmp_path, temporary, keys, key))
        assert [first.classify() for _ in range(3)] == ["1.0.0"] * 3
        second = stack.enter_context(service("127.0.0.2", port, tmp_path, temporary, keys, key, workers=1))
        assert [second.classify() for _ in range(5)] == ["1.0.0"] * 5
        assert [first.metric("images_total"), second.metric("images_total")] == [3, 5]

        bring(tmp_path, "2.0.0")
        assert first.client.post("/models/reload").json() == {"models": {"marks": "2.0.0"}}
        assert {first.classify() for _ in range(10)} == {"2.0.0"}
        assert {second.classify() for _ in range(10)} == {"1.0.0"}

        before = workers_of(first.parent)
        before[0].kill()
        until(lambda: len(alive := workers_of(first.parent)) == 2 and before[0] not in alive, 30)
        until(lambda: first.metric("sessions") == 2, 30)  # what the dead worker left does not count
        assert {first.classify() for _ in range(10)} == {"2.0.0"}
        assert first.metric("images_total") == 3 + 10 + 10
        assert second.metric("sessions") == 1

        folders = sorted(temporary.glob(f"{PREFIX}*"))
        assert len(folders) == 2
        for made in folders:
            assert made.stat().st_mode & 0o077 == 0
            assert sorted(path.name for path in made.iterdir()) == [METRICS, SHARED]
            assert all(path.suffix == ".db" for path in (made / METRICS).iterdir())
            assert not any("x.db" in path.name for path in (made / SHARED).iterdir())
        assert not (tmp_path / "prometheus_multiproc_dir").exists()
        stack.close()
        assert list(temporary.glob(f"{PREFIX}*")) == []
