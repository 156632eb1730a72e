"""The open connections of a worker: how many there may be, which one ends for a new one, and a look at each every second."""

import asyncio
import logging
import resource
from collections.abc import Iterator
from itertools import chain
from typing import ClassVar, Final, Protocol

logger = logging.getLogger("bentoml.serving")

LOOK_SECONDS: Final = 1.0
# Files that are no connections: libraries, databases, sessions, metrics, sockets to the runner.
OTHER_FILES: Final = 256


class Connection(Protocol):
    """What the table has to know of a connection."""

    @property
    def is_waiting(self) -> bool:
        """Whether no request of it is being worked on."""

    def look(self) -> None:
        """Called every second: end the connection if something lasts too long."""

    def abort(self) -> None:
        """End the connection at once."""


class ConnectionTable:
    """The open connections of one server, at most ``limit`` of them.

    A new connection takes the place of the oldest that has not sent a complete request yet, or else of the oldest that is
    between two requests: who opens many connections and says nothing on them closes only his own. A worker whose connections
    are all being answered takes no more.
    """

    limit: ClassVar[int | None] = None

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}
        self._silent: dict[Connection, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Connection) -> bool:
        """Whether there is room for the connection, which then counts."""
        if self.limit is not None and len(self._open) >= self.limit and not self._make_room():
            return False
        self._open[connection] = None
        self._silent[connection] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
        return True

    def has_asked(self, connection: Connection) -> None:
        """The connection has sent its first complete request."""
        self._silent.pop(connection, None)

    def remove(self, connection: Connection) -> None:
        """The connection is closed."""
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

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look) if self._open else None
        for connection in list(self._open):
            connection.look()


def limit_connections(wanted: int | None) -> None:
    """Let each server of this process have so many connections, any number for None, or fewer where the system lets the process
    open fewer files."""
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
                "This process may open %d files: it takes %d connections, not MAX_CONNECTIONS=%d. Raise `ulimit -n`.",
                soft, ConnectionTable.limit, wanted,
            )  # fmt: skip
