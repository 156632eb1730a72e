"""The database of a gallery: its URL, sessions with timeouts, and messages for database errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from gallery.pending_write import PendingWrite
from gallery.sqlite import open_sqlite

FILE_NAME: Final = "gallery.db"
URL_FORMATS: Final = "Write sqlite:////folder/gallery.db or postgresql://user:password@host:5432/database."
# Seconds a caller waits for a free connection.
POOL_SECONDS: Final = 10.0
# After a failure the database is not tried again for this long, or each of many waiting requests would wait for an attempt.
RETRY_SECONDS: Final = 1.0


class DatabaseUnavailable(Exception):
    """The database cannot be used; the message says why.

    ``uncertain`` is true if the connection was lost during a commit, which may have succeeded.
    """

    def __init__(self, why: str, *, uncertain: bool = False) -> None:
        super().__init__(why)
        self.uncertain = uncertain


def parse_url(text: str) -> URL:
    """Parse the URL of a SQLite file or a PostgreSQL database.

    Raises:
        ValueError: it is neither; the message never has the URL, which may have a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"It is not the URL of a database. {URL_FORMATS}") from None
    kind = url.drivername.split("+")[0]
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise ValueError(f"A gallery is kept in SQLite or PostgreSQL, not in {kind}. {URL_FORMATS}")
    if url.database in (None, "", ":memory:") or url.host:
        raise ValueError(f"It names no file. {URL_FORMATS}")
    return url.set(drivername="sqlite")


def file_url(file: Path) -> URL:
    """The URL of a SQLite file."""
    return URL.create("sqlite", database=str(file))


class Database:
    """A pool of at most ``connections`` to a database; nothing is opened before the first session.

    The first session migrates the tables. So does the next one after a failure, since the database may be another by then.
    """

    def __init__(self, url: URL, connections: int) -> None:
        self._engine = open_engine(url, connections)
        self._lock = Lock()
        self._migrated = False
        self._failure: tuple[float, str] | None = None

    @contextmanager
    def session(self, *, writing: bool = False, pending: PendingWrite | None = None) -> Iterator[Session]:
        """A session in its own transaction, committed at the end; transactions that write run one at a time.

        Raises:
            DatabaseUnavailable: the database does not respond, is corrupt, full, read-only, or newer than this code.
            WriteCancelled: the transaction was cancelled before its commit.
        """
        self._migrate()
        committing = False
        try:
            engine = self._engine.execution_options(writing=writing)
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
                session.flush()
                if pending is not None:
                    pending.begin_commit()
                committing = writing
        except (DBAPIError, PoolTimeoutError) as error:
            self._migrated = False
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            raise DatabaseUnavailable(reason(error), uncertain=committing and lost) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        """Migrate the tables, unless that was done since the last failure."""
        from gallery.migration import NewerTables, upgrade  # here: Alembic takes long to load, and not every worker needs it

        with self._lock:
            if self._migrated:
                return
            if self._failure and monotonic() - self._failure[0] < RETRY_SECONDS:
                raise DatabaseUnavailable(self._failure[1])
            try:
                upgrade(self._engine)
            except (DBAPIError, PoolTimeoutError, NewerTables) as error:
                self._failure = monotonic(), str(error) if isinstance(error, NewerTables) else reason(error)
                raise DatabaseUnavailable(self._failure[1]) from error
            self._migrated = True


def reason(error: Exception) -> str:
    """The reason of a database error, in the database's words if they have no names or addresses."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        return str(cause)
    if isinstance(error, PoolTimeoutError):
        return "it is too busy"
    message = getattr(getattr(cause, "diag", None), "message_primary", None)
    return str(message or "it does not answer")


def open_engine(url: URL, connections: int) -> Engine:
    """An engine of at most ``connections``, whose transactions with the option ``writing`` come one at a time."""
    if url.get_backend_name() == "sqlite":
        return open_sqlite(url, connections, POOL_SECONDS)
    from gallery.postgres import open_postgres  # here: psycopg takes long to load, and most galleries are SQLite files

    return open_postgres(url, connections, POOL_SECONDS)
