"""uvicorn's HTTP protocol with limits on headers, pipelining and time, so that no client can exhaust a worker before any route
runs.

uvicorn reads headers, pipelined requests and trailers of any number and size, waits forever for headers that do not end, and
keeps a response that is never read. It also drops the body of a request that offers another protocol, as Java's HttpClient does
by default (``Upgrade: h2c``). The limits cost a request about a microsecond: timeouts are found by checking each connection
once a second. Upstream: uvicorn/pull/2019 (limits with httptools, closed), uvicorn/issues/2722 (the dropped body, open). Can go
when uvicorn has such limits and reads such bodies.
"""

import fcntl
import socket
import termios
from asyncio import Transport
from typing import Any, Final
from weakref import WeakKeyDictionary

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from serving.bento.connections import ConnectionTable
from serving.errors import Problem
from serving.middleware.response_headers import HEADERS, NO_STORE
from serving.process import metrics
from serving.process.request_context import HEADER, new_request_id

MAX_HEAD_BYTES: Final = 32_768
MAX_HEADERS: Final = 100
MAX_PIPELINED: Final = 16
# Seconds, which is also the number of checks.
HEAD_SECONDS: Final = 10
WRITE_SECONDS: Final = 30
LINGER_SECONDS: Final = 2
LINGER_BYTES: Final = 1_048_576

NOT_HTTP: Final = Problem("bad_request", "Cannot parse the request as HTTP/1.1. Send a request line, headers and their body.")
HEADERS_TOO_LARGE: Final = Problem(
    "headers_too_large",
    f"The request line and headers are larger than {MAX_HEAD_BYTES:,} bytes, or more than {MAX_HEADERS} headers. Send less; "
    "options and pictures also go into the body.",
)
SLOW_HEADERS: Final = Problem("slow_headers", f"The request line and headers did not arrive within {HEAD_SECONDS} s.")
NO_ROOM: Final = Problem("unavailable", "All connections of this worker are in use. Try again in a moment.")

_tables: WeakKeyDictionary[ServerState, ConnectionTable] = WeakKeyDictionary()


class _Refused(Exception):
    """Stops the parser."""


class LimitedProtocol(HttpToolsProtocol):
    """A connection with limits: headers, trailers and chunk extensions have at most ``MAX_HEAD_BYTES``, ``MAX_HEADERS``, and
    arrive within ``HEAD_SECONDS``, at most ``MAX_PIPELINED`` requests wait, and the connection is closed when the client reads
    nothing of a response for ``WRITE_SECONDS``. A refused request gets a problem document. Protocol upgrades are ignored."""

    # Slots, since uvicorn's instance dictionary has 28 attributes, and beyond 30 Python looks all of them up more slowly.
    __slots__ = (
        "_discarded", "_has_request", "_incomplete", "_problem", "_progress", "_received", "_refused", "_resumed", "_table",
        "_unread", "_upgrade", "_waited",
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.headers = []
        self._table = _tables.setdefault(self.server_state, ConnectionTable())
        self._has_request = False
        # Bytes since headers, a piece of a body or a request were last complete, without those that arrived together with it.
        self._incomplete = 0
        self._received = 0  # now
        self._problem = NOT_HTTP
        self._upgrade = False  # whether the request at hand offers another protocol
        self._refused = False
        self._discarded = 0
        self._waited = 0
        self._unread = 0
        self._resumed = 0
        self._progress: tuple[int, int, int] = (0, 0, 0)

    @property
    def is_waiting(self) -> bool:
        """Whether no request is in progress."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.disconnected

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._table.add(self):
            self._refused = True
            metrics.errors.labels(NO_ROOM.code).inc()
            transport.write(self._answer(NO_ROOM))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refused:
            self._discard(len(data))
            return
        self._received = len(data)
        self._incomplete += self._received
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._problem)
        except httptools.HttpParserUpgrade as pause:
            if self._upgrade:
                self._ignore_upgrade(data[pause.args[0] :])
            else:  # CONNECT: this request is answered; what follows it is not HTTP
                self._refused = True
                self.cycle.keep_alive = False
        else:
            if self._incomplete > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
                self._refuse(HEADERS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _Refused
        may_be_large = self._incomplete > MAX_HEAD_BYTES or self._received > MAX_HEAD_BYTES
        if len(self.headers) > MAX_HEADERS or (may_be_large and self._head_bytes() > MAX_HEAD_BYTES):
            self._problem = HEADERS_TOO_LARGE
            raise _Refused
        self._incomplete = self._waited = 0
        if not self._has_request:
            self._has_request = True
            self._table.has_request(self)
        self._upgrade = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if not self._upgrade:
            HttpToolsProtocol.on_headers_complete(self)

    def on_body(self, body: bytes) -> None:
        # As uvicorn's, without its check for a WebSocket.
        self._incomplete = 0
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._incomplete = 0
        if not (self._upgrade or self.cycle.response_complete):
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    def check_timeouts(self) -> None:
        """Called every second: close the connection if something takes too long."""
        if unsent := self.transport.get_write_buffer_size():
            progress = (self._resumed, unsent, _unacknowledged(self.transport))
            self._unread = self._unread + 1 if progress == self._progress else 0
            self._progress = progress
            if self._unread >= WRITE_SECONDS:
                self.abort()
        elif not self.is_waiting or self.timeout_keep_alive_task is not None:
            self._waited = 0
        else:
            self._waited += 1
            if self._refused and self._waited >= LINGER_SECONDS:
                self.transport.close()
            elif self._waited >= HEAD_SECONDS:
                self._end_waiting()

    def abort(self) -> None:
        """Close the connection at once and discard what was not sent."""
        self.transport.abort()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the request again without its ``Upgrade`` header, which makes httptools skip the body; ``rest`` followed it."""
        line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade")
        self.data_received(line + headers + b"\r\n" + rest)

    def _refuse(self, problem: Problem) -> None:
        """Read no more. A request that arrived in full is still answered; otherwise the response is ``problem``."""
        self._refused = True
        metrics.errors.labels(problem.code).inc()
        if not self.is_waiting:
            if not self.cycle.more_body:
                self.cycle.keep_alive = False
                return
            if self.pipeline or self.cycle.response_started:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.headers.clear()
        self.parser = None  # type: ignore[assignment]  # as uvicorn does once the connection is closed
        self.transport.write(self._answer(problem))
        self._linger()

    def _linger(self) -> None:
        """Close the sending side first, so that a client that is still sending receives the response."""
        self._waited = 0
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _discard(self, count: int) -> None:
        self._discarded += count
        if self._discarded > LINGER_BYTES and self.is_waiting:
            self.abort()

    def _end_waiting(self) -> None:
        """Close after the time for headers, or for the rest of a body that was answered before it ended."""
        if self._incomplete and not (self.cycle is not None and self.cycle.more_body):
            self._refuse(SLOW_HEADERS)
        else:
            self.transport.close()

    def _answer(self, problem: Problem) -> bytes:
        """The response to a request that reaches no route: it has a new request id, since its headers cannot be trusted."""
        request_id = new_request_id()
        response = problem.response(request_id)
        own = ((HEADER, request_id.encode("ascii")), *HEADERS, NO_STORE, (b"connection", b"close"))
        headers = [*self.server_state.default_headers, *response.raw_headers, *own]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return STATUS_LINE[problem.status] + lines + b"\r\n" + bytes(response.body)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)

    def _should_upgrade(self) -> bool:
        return False


def _unacknowledged(transport: Transport) -> int:
    """Bytes that the system has not sent, or that were not acknowledged, where it reports them."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), "little")
    except (OSError, ValueError):  # not reported for this kind of socket, or it is closed
        return 0
