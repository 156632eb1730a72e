"""HTTP client of the load generator: kept connections, and requests that no proper client sends."""

import select
from collections import deque
from contextlib import suppress
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import gevent
from gevent import socket, ssl
from gevent.lock import BoundedSemaphore
from geventhttpclient.response import HTTPParseError, HTTPSocketResponse

from loadtests.requests import BROKEN, HUNG_UP, Request, Response, SendMode

TIMEOUT_SECONDS: Final = 30.0
DRIP_SECONDS: Final = 1.0
# A service closes idle connections after a few seconds; one that may be about to close is not used again.
IDLE_SECONDS: Final = 3.0
# So many connections are opened before one is used again, and then the one that was idle longest: requests of many people come
# over many connections, and reach all workers. To use the same few again would load the workers that hold them.
SPREAD: Final = 32
# What is read at once, and the largest body of a response that is kept.
BLOCK_BYTES: Final = 65_536
MAX_BODY_BYTES: Final = 64 * 2**20


class ServiceClient:
    """Sends requests to one service over at most ``connections`` connections at a time; further requests wait for a free one.

    A response is waited for ``timeout`` seconds. ``key`` is an API key, sent as a bearer token. geventhttpclient parses the
    responses; its pool is not used: it cannot tell whether one of more than 1,000 connections is open, and keeps them for ever.
    """

    def __init__(self, address: str, connections: int, timeout: float = TIMEOUT_SECONDS, key: str = "") -> None:
        self.address, self._timeout = address, timeout
        parts = urlsplit(address)
        self.endpoint = (parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80))
        self.host, self._prefix = parts.netloc, parts.path.rstrip("/")
        self._tls = _tls_context() if parts.scheme == "https" else None
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._free, self._spread = BoundedSemaphore(connections), min(connections, SPREAD)
        self._idle: deque[tuple[socket.socket, float]] = deque()
        self.open_connections = 0

    def send(self, request: Request) -> Response:
        """Send a request and wait for the response; its status is ``BROKEN`` if there is none."""
        started = perf_counter()
        late = TimeoutError(f"no response within {self._timeout:g} s")
        try:
            with gevent.Timeout(self._timeout, late), self._free:
                return self._exchange(request, started)
        except (OSError, HTTPParseError) as error:
            return Response(BROKEN, perf_counter() - started, repr(error).encode())

    def connect(self) -> socket.socket:
        """Open a connection."""
        connection = socket.create_connection(self.endpoint, self._timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(connection, server_hostname=self.endpoint[0]) if self._tls else connection

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._close(self._idle.pop()[0])

    def _exchange(self, request: Request, started: float) -> Response:
        keep = request.mode is SendMode.KEEP_ALIVE
        connection, reusable = (self._idle_connection() if keep else None) or self._open(), False
        drip = None
        try:
            with suppress(ConnectionError):  # a service that refuses a body before its end may have sent its response
                connection.sendall(request.encode(self.host, self._headers, self._prefix))
            if request.mode is SendMode.HANG_UP:
                return Response(HUNG_UP)
            if request.mode is SendMode.SLOW:
                drip = gevent.spawn(_drip, connection)
            answer = HTTPSocketResponse(connection, BLOCK_BYTES, request.method)
            body = _read(answer)
            reusable = keep and not answer.should_close()
            headers = {name.lower().encode("latin-1"): str(value).encode("latin-1") for name, value in answer.headers}
            return Response(answer.get_code(), perf_counter() - started, body, headers)
        finally:
            if drip is not None:
                drip.kill()
            if reusable:
                self._idle.append((connection, perf_counter()))
            else:
                self._close(connection)

    def _idle_connection(self) -> socket.socket | None:
        """The open connection that was idle longest, None if more are to be opened; those idle too long are closed."""
        oldest = perf_counter() - IDLE_SECONDS
        while self._idle and self._idle[0][1] <= oldest:
            self._close(self._idle.popleft()[0])
        while self._idle and self.open_connections >= self._spread:
            connection, _ = self._idle.popleft()
            if not _has_input(connection):
                return connection
            self._close(connection)
        return None

    def _open(self) -> socket.socket:
        self.open_connections += 1  # before others run while this one is opened
        try:
            return self.connect()
        except BaseException:
            self.open_connections -= 1
            raise

    def _close(self, connection: socket.socket) -> None:
        connection.close()
        self.open_connections -= 1


def _tls_context() -> ssl.SSLContext:
    """Verify certificates as usual; ``ssl.create_default_context`` would make a context that blocks all other greenlets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def _has_input(connection: socket.socket) -> bool:
    """Whether something was received on an idle connection: the service has closed it."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _read(answer: HTTPSocketResponse) -> bytes:
    """Read the body of a response.

    Raises:
        OSError: it has more than ``MAX_BODY_BYTES``.
    """
    body = bytearray()
    for block in answer:
        body += block
        if len(body) > MAX_BODY_BYTES:
            raise OSError(f"the response has more than {MAX_BODY_BYTES:,} bytes")
    return bytes(body)


def _drip(connection: socket.socket) -> None:
    """Send a byte a second until the connection is closed."""
    with suppress(OSError):
        while True:
            gevent.sleep(DRIP_SECONDS)
            connection.sendall(b"\0")
