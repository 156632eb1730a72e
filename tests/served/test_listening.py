"""A worker listens several times over on its one socket."""

from collections import Counter
from pathlib import Path

import psutil
import pytest

from serving.listening import PER_TURN
from tests.processes import free_port, running, service_environment
from tests.served.test_crashes import family
from tests.served.test_lifecycle import COMMAND

pytestmark = pytest.mark.served


def test_many_connections_are_accepted_in_a_turn(model_store: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = service_environment(model_store, port, WORKERS="1")
    with running(COMMAND, f"http://127.0.0.1:{port}/readyz", tmp_path / "log", environment) as process:
        (worker,) = family(psutil.Process(process.pid), runner=False)
        (listening,) = {one.fd for one in worker.net_connections() if one.status == psutil.CONN_LISTEN}
        files = Path(f"/proc/{worker.pid}/fd")
        sockets = Counter(file.readlink() for file in files.iterdir() if file.is_symlink())
        assert sockets[(files / str(listening)).readlink()] >= PER_TURN
