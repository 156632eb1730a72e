"""The database of a gallery: its address, connections that fail soon rather than late, and what a failure means."""

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

from gallery.cancellation import Cancellation
from gallery.migration import NewerTables, upgrade
from gallery.sqlite import open_sqlite

FILE_NAME: Final = "gallery.db"
FORMS: Final = "Write sqlite:////folder/gallery.db or postgresql://user:password@host:5432/database."
# Seconds a caller waits for a free connection.
POOL_SECONDS: Final = 10.0
# A database that could not be opened is not asked again for so long: a queue of requests would wait for each attempt in turn.
PAUSE_SECONDS: Final = 1.0


class Unavailable(Exception):
    """The database cannot be used now; the text says why. ``uncertain``: it was lost while it committed, and may have done
    so."""

    def __init__(self, why: str, *, uncertain: bool = False) -> None:
        super().__init__(why)
        self.uncertain = uncertain


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
    def session(self, *, writing: bool = False, cancellation: Cancellation | None = None) -> Iterator[Session]:
        """A session in a transaction of its own, committed at the end; those that write come one at a time.

        Raises:
            Unavailable: the database does not answer, is broken, full, read-only, or newer than this code.
            Cancelled: the transaction was called off before its commit.
        """
        self._check()
        committing = False
        try:
            engine = self._engine.execution_options(writing=writing)
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
                session.flush()
                if cancellation is not None:
                    cancellation.begin_commit()
                committing = writing
        except (DBAPIError, PoolTimeoutError) as error:
            self._checked = False
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            raise Unavailable(reason(error), uncertain=committing and lost) from error

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
        return open_sqlite(url, connections, POOL_SECONDS)
    from gallery.postgres import open_postgres  # here: psycopg takes long to load, and most galleries are SQLite files

    return open_postgres(url, connections, POOL_SECONDS)
