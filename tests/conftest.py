"""Fixtures of every room: a model store with the catalogue in it, and a real service on it.

With REQUIRE_ALL_TESTS=1, as in CI, a test that would be skipped for want of something on the machine fails instead.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.support.locks import locked
from tests.support.postgres import Cluster, binaries, running_cluster
from tests.support.processes import ROOT, free_port, service_environment, start_service

# Files that share a service or a browser; the others are handed out one by one. The browser tests are two halves, each with a
# Chromium and a page of its own: those on the fake service, and those on a real one.
FAKE_SERVICE = ("accessibility", "address", "contrast", "drawing_sequences", "gallery", "photos", "recovery", "sheet")
TOGETHER = {
    **{f"tests/browser/test_{name}.py": "browser, fake service" for name in (*FAKE_SERVICE, "untrusted_text", "waiting")},
    "tests/browser/": "browser, real service",
    "tests/containers/": "containers",
    "tests/served/test_access.py": "keyed service",
    "tests/served/test_access_browsers.py": "keyed service",
    "tests/served/test_log.py": "keyed service",
    "tests/served/test_request_ids.py": "keyed service",
}
# What takes longest comes first, so that the processes end together, and the quick unit tests fill the gaps at the end. No
# browser runs beside the containers (``network_lock``); so what another process does meanwhile comes between them.
ORDER = (
    *("tests/served/test_bulk.py", "tests/deploy/monitoring/test_alerts.py", "tests/containers/", "tests/served/"),
    *("tests/loadtests/", "browser, real service", "browser, fake service", "tests/deploy/"),
)

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # for tests that import ONNX Runtime before a package of the project does
# Every address is http://127.0.0.1, and reading the system's certificates takes 45 ms for each HTTP client of each process.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(ROOT / "tests" / "support")  # holds none
# PyTorch's and NumPy's threads wait for each other actively. With a thread per core in every test process, exporting a network
# took five times the CPU time. The libraries read this when they are imported, which is later.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# A busy machine is no fault of an example, nor of a request: HTTPX waits five seconds where nothing else is said.
for wait in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, wait, 60.0)
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("REQUIRE_ALL_TESTS"):
        config.pluginmanager.register(NoSkips())


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Where several processes share the tests, those of a file stay together, and some files."""
    return Together(config, log)


def scope_of(nodeid: str) -> str:
    """The name of what is handed out together with a test: its file, or those of ``TOGETHER``."""
    file = nodeid.partition("::")[0]
    return next((name for start, name in TOGETHER.items() if file.startswith(start)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by ``ORDER``, and otherwise leave them as they are."""

    def place(item: pytest.Item) -> int:
        names = (item.nodeid, scope_of(item.nodeid))
        return next((place for place, start in enumerate(ORDER) if any(name.startswith(start) for name in names)), len(ORDER))

    items.sort(key=place)


class Together(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands out files, and those of ``TOGETHER`` as one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


class NoSkips:
    """Turns every skip into a failure that says what was missing."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
        outcome = yield
        self.refuse(outcome.get_result())

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pluggy.Result[pytest.CollectReport], None]:
        outcome = yield
        self.refuse(outcome.get_result())

    def refuse(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Fail a skipped report with the reason it gave."""
        if report.outcome == "skipped":
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            report.outcome = "failed"
            report.longrepr = f"REQUIRE_ALL_TESTS is set, and this was not run: {reason}"


@pytest.fixture(scope="session")
def model_store(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A BENTOML_HOME of this process's own, with every model of the catalogue imported, once for all processes of the run."""
    shared = tmp_path_factory.getbasetemp().parent / f"models-{testrun_uid}"
    shared.mkdir(exist_ok=True)
    with locked(shared / "lock"):
        if not (shared / "models").exists():
            command = [sys.executable, "-m", "models", "import"]
            subprocess.run(
                command, cwd=ROOT, env={**os.environ, **service_environment(shared, 0)}, check=True, capture_output=True
            )
    home = tmp_path_factory.mktemp("bentoml")
    shutil.copytree(shared / "models", home / "models")
    return home


@pytest.fixture(scope="session")
def network_lock(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """The file to lock against changes of the machine's networks: containers make some, and Chromium then drops connections."""
    return tmp_path_factory.getbasetemp().parent / f"networks-{testrun_uid}.lock"


@pytest.fixture(scope="session")
def service_address(model_store: Path) -> Iterator[str]:
    """The address of a real `bentoml serve` process with two workers."""
    with start_service(model_store, free_port()) as address:
        yield address


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of the test run's own."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is missing; `apt-get install postgresql` installs it")
    with running_cluster(programs) as cluster:
        yield cluster
