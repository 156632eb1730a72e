"""Connections to PostgreSQL that end when the server says nothing, rather than wait for it for ever."""

from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready
from sqlalchemy import URL, Connection, Engine, create_engine, event

WRITE_LOCK: Final = 0x67616C6C657279  # "gallery"
# What libpq does by itself, unless the address says otherwise, waits for minutes for a host that is gone.
OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
STATEMENT_TIMEOUT: Final = "10s"
# A little more than a server allows a statement: one that says nothing for longer stands still, though its host may not.
SILENCE_SECONDS: Final = 11.0


class TimedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server has said nothing for ``SILENCE_SECONDS`` of an exchange.

    A server that was stopped, or one behind a pooler that lost it, keeps its TCP connections: neither the timeouts of TCP nor
    those of statements, which the server itself would have to notice, end the wait.
    """

    def wait(self, gen: PQGen[RV], *arguments: Any, **options: Any) -> RV:
        """Run one exchange with the server to its end.

        Raises:
            OperationalError: the server did not answer in time; the connection is closed.
        """
        return super().wait(self._limited(gen), *arguments, **options)

    def _limited(self, exchange: PQGen[RV]) -> PQGen[RV]:
        """The exchange, given up once nothing was ready to be read or written for too long."""
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
    """An engine of at most ``connections``; a caller waits for a free one for ``pool_seconds``."""
    engine = create_engine(
        url.update_query_dict({name: str(value) for name, value in OPTIONS.items() if name not in url.query}),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=pool_seconds,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None},  # a pooler between may hand the next statement to another session
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "begin", _begin)
    return engine


def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> TimedConnection:
    return TimedConnection.connect(*arguments, **options)


def _begin(connection: Connection) -> None:
    """Writers come one at a time."""
    # Not among the options of the connection, which a pooler between may refuse.
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
    if connection.get_execution_options().get("writing"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
