"""Tracks and limits the open connections of a worker, closes idle ones for new ones, and checks all for timeouts."""

import asyncio
import logging
import resource
from collections.abc import Iterator
from itertools import chain
from typing import ClassVar, Final, Protocol

logger = logging.getLogger("bentoml.serving")

CHECK_SECONDS: Final = 1.0
# Open files that are not client connections: libraries, databases, sessions, metrics, sockets to the runner.
OTHER_FILES: Final = 256


class Connection(Protocol):
    """A connection, as the table uses it."""

    @property
    def is_waiting(self) -> bool:
        """Whether it has no request in progress."""

    def check_timeouts(self) -> None:
        """Called every second: close the connection if something takes too long."""

    def abort(self) -> None:
        """Close the connection at once."""


class ConnectionTable:
    """The open connections of one server, at most ``limit`` of them.

    A new connection replaces the oldest that has not sent a complete request yet, or else the oldest that is between two
    requests: a client that opens many connections and sends nothing loses its own. A worker whose connections all have
    requests in progress accepts no more.
    """

    limit: ClassVar[int | None] = None

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}
        self._silent: dict[Connection, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Connection) -> bool:
        """Add a connection if there is room for it; returns whether there was."""
        if self.limit is not None and len(self._open) >= self.limit and not self._make_room():
            return False
        self._open[connection] = None
        self._silent[connection] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)
        return True

    def has_request(self, connection: Connection) -> None:
        """Note that the connection has sent its first complete request."""
        self._silent.pop(connection, None)

    def remove(self, connection: Connection) -> None:
        """Remove a closed connection."""
        self._open.pop(connection, None)
        self._silent.pop(connection, None)

    def __len__(self) -> int:
        return len(self._open)

    def _make_room(self) -> bool:
        candidates: Iterator[Connection] = chain(self._silent, self._open)
        oldest = next((connection for connection in candidates if connection.is_waiting), None)
        if oldest is None:
            return False
        self.remove(oldest)
        oldest.abort()
        return True

    def _check(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check) if self._open else None
        for connection in list(self._open):
            connection.check_timeouts()


def limit_connections(wanted: int | None) -> None:
    """Limit the connections of each server of this process, or not for None; fewer where the process may open fewer files."""
    ConnectionTable.limit = wanted
    if wanted is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    if resource.RLIM_INFINITY != soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < needed:
            ConnectionTable.limit = max(1, soft - OTHER_FILES)
            logger.warning(
                "This process may open %d files, so it accepts %d connections, not MAX_CONNECTIONS=%d. Raise `ulimit -n`.",
                soft, ConnectionTable.limit, wanted,
            )  # fmt: skip
