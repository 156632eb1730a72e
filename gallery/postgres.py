"""Connections to PostgreSQL with a timeout for a server that stops responding."""

from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready
from sqlalchemy import URL, Connection, Engine, create_engine, event

WRITE_LOCK: Final = 0x67616C6C657279  # "gallery"
# Without these, unless the URL has its own, libpq waits for minutes for a host that is gone.
OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
STATEMENT_TIMEOUT: Final = "10s"
# A little more than the statement timeout: a server that is silent for longer has stopped, even if its host responds.
SILENCE_SECONDS: Final = 11.0


class TimedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server sends nothing for ``SILENCE_SECONDS`` during an exchange.

    A suspended server, or a pooler that lost its server, keeps its TCP connections open: TCP timeouts do not apply, and
    statement timeouts are up to the server.
    """

    def wait(self, gen: PQGen[RV], *arguments: Any, **options: Any) -> RV:
        """Run one exchange with the server to its end.

        Raises:
            OperationalError: the server did not respond in time; the connection is closed.
        """
        return super().wait(self._limited(gen), *arguments, **options)

    def _limited(self, exchange: PQGen[RV]) -> PQGen[RV]:
        """The exchange, aborted when the socket was not ready for too long."""
        heard = monotonic()
        try:
            wanted = next(exchange)
            while True:
                ready = yield wanted
                if ready != Ready.NONE:
                    heard = monotonic()
                elif monotonic() - heard > SILENCE_SECONDS:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = exchange.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result


def open_postgres(url: URL, connections: int, pool_seconds: float) -> Engine:
    """An engine with at most ``connections``; a caller waits up to ``pool_seconds`` for a free one."""
    engine = create_engine(
        url.update_query_dict({name: str(value) for name, value in OPTIONS.items() if name not in url.query}),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=pool_seconds,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None},  # a connection pooler may run the next statement in another session
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "begin", _begin)
    return engine


def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> TimedConnection:
    return TimedConnection.connect(*arguments, **options)


def _begin(connection: Connection) -> None:
    """Set the statement timeout; transactions that write take a lock, so that they run one at a time."""
    # Not a connection option, which a connection pooler may reject.
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
    if connection.get_execution_options().get("writing"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
