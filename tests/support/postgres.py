"""A PostgreSQL of the test run's own, from Debian's packages: on loopback, stopped and started again, ended by its id."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.support.processes import free_port, halt

BINARIES = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL that is installed."""
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """A PostgreSQL server over a folder of its own; it does not run as root, so there the packages' account does."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._account = ACCOUNT if os.geteuid() == 0 else None
        self._port = free_port()
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        if self._account:
            record = pwd.getpwnam(self._account)
            os.chown(folder, record.pw_uid, record.pw_gid)
        initdb = ["initdb", "--pgdata", "data", "--username", ACCOUNT, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        made = subprocess.run(self._command(initdb), cwd=folder, user=self._account, capture_output=True, timeout=120)
        assert made.returncode == 0, made.stderr.decode()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        server = ["postgres", "-D", "data", "-p", str(self._port), "-k", str(self._folder), "-c", "fsync=off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(server), cwd=self._folder, user=self._account, stdout=log, stderr=log
            )
        limit = time.monotonic() + READY_SECONDS
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                log_text = (self._folder / "log").read_text()
                assert self._process.poll() is None and time.monotonic() < limit, log_text
                time.sleep(0.05)  # between polls; the condition above decides

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT cuts connections off, SIGQUIT does so without putting anything in order first."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(STOP_SECONDS)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """The server and all of its processes stand still until the block ends; its connections stay."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        with ExitStack() as stack:
            for process in (parent, *parent.children(recursive=True)):
                stack.enter_context(halt(process))
            yield

    def new_database(self) -> str:
        """The address of an empty database."""
        self._databases += 1
        name = f"gallery{self._databases}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://{ACCOUNT}@127.0.0.1:{self._port}/{name}"

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host="127.0.0.1", port=self._port, user=ACCOUNT, dbname="postgres", autocommit=True)

    def _command(self, command: list[str]) -> list[str]:
        return [str(self._programs / command[0]), *command[1:]]


@contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    """A cluster that runs until the block ends, in a folder that its account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    try:
        cluster = Cluster(folder, programs)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)
