"""The database of a gallery: its address, connections that fail soon rather than late, and what a failure means."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from gallery.migration import NewerTables, upgrade

FILE_NAME: Final = "gallery.db"
FORMS: Final = "Write sqlite:////folder/gallery.db or postgresql://user:password@host:5432/database."
# Seconds a SQLite writer waits for the one before it, and a caller for a free connection.
BUSY_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.01
# A database that could not be opened is not asked again for so long: a queue of requests would wait for each attempt in turn.
PAUSE_SECONDS: Final = 1.0
WRITE_LOCK: Final = 0x67616C6C657279  # "gallery"
# What libpq does by itself, unless the address says otherwise, waits for minutes for a host that is gone.
POSTGRES: Final[dict[str, Any]] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
STATEMENT_TIMEOUT: Final = "10s"


class Unavailable(Exception):
    """The database cannot be used now; the text says why."""


def parse_url(text: str) -> URL:
    """The address of a SQLite file or of a PostgreSQL database.

    Raises:
        ValueError: it is neither; the text never repeats the address, which may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"It is not the address of a database. {FORMS}") from None
    kind = url.drivername.split("+")[0]
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise ValueError(f"A gallery is kept in SQLite or PostgreSQL, not in {kind}. {FORMS}")
    if url.database in (None, "", ":memory:") or url.host:
        raise ValueError(f"It names no file. {FORMS}")
    return url.set(drivername="sqlite")


def file_url(file: Path) -> URL:
    """The address of a SQLite file."""
    return URL.create("sqlite", database=str(file))


class Database:
    """The engine of one process, with at most ``connections``; nothing is opened before the first session.

    The tables are brought up to date then, and looked at again after every failure: the database may be another by then.
    """

    def __init__(self, url: URL, connections: int) -> None:
        self._engine = open_engine(url, connections)
        self._checking = Lock()
        self._checked = False
        self._failed: tuple[float, str] | None = None

    @contextmanager
    def session(self, *, writing: bool = False) -> Iterator[Session]:
        """A session in a transaction of its own, committed at the end; those that write come one at a time.

        Raises:
            Unavailable: the database does not answer, is broken, full, read-only, or newer than this code.
        """
        self._check()
        try:
            engine = self._engine.execution_options(writing=writing)
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except (DBAPIError, PoolTimeoutError) as error:
            self._checked = False
            raise Unavailable(reason(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _check(self) -> None:
        """Bring the tables up to date where that is not known of them."""
        with self._checking:
            if self._checked:
                return
            if self._failed and monotonic() - self._failed[0] < PAUSE_SECONDS:
                raise Unavailable(self._failed[1])
            try:
                upgrade(self._engine)
            except (DBAPIError, PoolTimeoutError, NewerTables) as error:
                self._failed = monotonic(), reason(error)
                raise Unavailable(self._failed[1]) from error
            self._checked = True


def reason(error: Exception) -> str:
    """What a failure means, in the database's own words where they tell no names or addresses."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, (sqlite3.Error, NewerTables)):
        return str(cause)
    if isinstance(error, PoolTimeoutError):
        return "it is too busy"
    said = getattr(getattr(cause, "diag", None), "message_primary", None)
    return str(said or "it does not answer")


def open_engine(url: URL, connections: int) -> Engine:
    """An engine of at most ``connections``, whose transactions with the option ``writing`` come one at a time."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            connect_args={"timeout": BUSY_SECONDS},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(
            url.update_query_dict({name: str(value) for name, value in POSTGRES.items() if name not in url.query}),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=True,
            connect_args={"prepare_threshold": None},  # a pooler between may hand the next statement to another session
        )
        event.listen(engine, "begin", _begin_postgres)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    """Readers beside a writer; what was deleted is wiped and its room given back; transactions begin where SQLAlchemy says."""
    connection.isolation_level = None
    for pragma in ("auto_vacuum = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    limit = monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # of those who are first at the same time all but one, without a wait
            if "locked" not in str(error) or monotonic() > limit:
                raise
            sleep(RETRY_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    """A writer waits here, and not when it has read already, which SQLite would refuse to wait for."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")


def _begin_postgres(connection: Connection) -> None:
    # Not among the options of the connection, which a pooler between may refuse.
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
    if connection.get_execution_options().get("writing"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
