"""Connections to a SQLite file that its owner alone can read."""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

# Seconds a writer waits for the one before it.
BUSY_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.01
PRIVATE: Final = 0o600
FOR_OTHERS: Final = 0o077
# What SQLite keeps beside a database; it makes these as open as the database is.
COMPANIONS: Final = ("", "-wal", "-shm", "-journal")
# To close a file is to lose the locks that this process has on it: no connection is made while one is being closed.
_opening: Final = Lock()


def open_sqlite(url: URL, connections: int, pool_seconds: float) -> Engine:
    """An engine of at most ``connections``; a caller waits for a free one for ``pool_seconds``."""
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=pool_seconds,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _connect(dialect: Dialect, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    with _opening:
        _make_private(arguments[0], is_uri=bool(options.get("uri")))
        return dialect.connect(*arguments, **options)


def _make_private(name: str, *, is_uri: bool) -> None:
    """Have the database, which is made if it is not there, and what lies beside it be for their owner alone, whatever the
    umask.

    Where that cannot be, because the files are another user's or cannot be written, they stay as they are.
    """
    location, _, query = name.partition("?") if is_uri else (name, "", "")
    path = unquote(location.removeprefix("file:").removeprefix("//localhost").removeprefix("//")) if is_uri else name
    if parse_qs(query).get("mode", ["rwc"]) == ["rwc"]:
        with suppress(OSError):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE)
            try:
                os.fchmod(file, PRIVATE)
            finally:
                os.close(file)
    for companion in COMPANIONS:
        with suppress(OSError):
            file_name = Path(path + companion)
            mode = stat.S_IMODE(file_name.stat().st_mode)
            if mode & FOR_OTHERS:
                file_name.chmod(mode & ~FOR_OTHERS)


def _prepare(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    """Readers beside a writer; what was deleted is wiped and its room given back; transactions begin where SQLAlchemy says."""
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")
    if connection.execute("PRAGMA auto_vacuum").fetchone() != (1,):  # to set what is set already would wait for a writer
        connection.execute("PRAGMA auto_vacuum = FULL")
    limit = monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # of those who are first at the same time all but one, without a wait
            if "locked" not in str(error) or monotonic() > limit:
                raise
            sleep(RETRY_SECONDS)


def _begin(connection: Connection) -> None:
    """A writer waits here, and not when it has read already, which SQLite would refuse to wait for."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")
