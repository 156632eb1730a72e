"""Connections to a SQLite file that only its owner can read."""

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

# How long a writer waits for another one.
BUSY_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.01
PRIVATE: Final = 0o600
FOR_OTHERS: Final = 0o077
# The files of a database; SQLite creates the latter with the permissions of the first.
COMPANIONS: Final = ("", "-wal", "-shm", "-journal")
# Closing a file releases all POSIX locks of this process on it, so files are only opened and closed under this lock.
_opening: Final = Lock()


def open_sqlite(url: URL, connections: int, pool_seconds: float) -> Engine:
    """An engine with at most ``connections``; a caller waits up to ``pool_seconds`` for a free one."""
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
    """Create the database if it does not exist, and restrict it and its companion files to their owner, whatever the umask.

    Files that belong to another user, or cannot be changed, are left unchanged.
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
    """Set up a connection: WAL mode, deleted data overwritten and freed, transactions controlled by SQLAlchemy."""
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")
    if connection.execute("PRAGMA auto_vacuum").fetchone() != (1,):  # setting it again would wait for a writer
        connection.execute("PRAGMA auto_vacuum = FULL")
    limit = monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # if several connections switch at once, all but one fail without waiting
            if "locked" not in str(error) or monotonic() > limit:
                raise
            sleep(RETRY_SECONDS)


def _begin(connection: Connection) -> None:
    """Begin a transaction; a writer takes the lock at once, because SQLite does not wait for it after a read."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")
