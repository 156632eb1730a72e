"""HTTP client of the load generator: pooled connections, and requests that no proper client sends."""

from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import gevent
from gevent import socket
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPSocketResponse

from loadtests.requests import BROKEN, HUNG_UP, Request, Response, SendMode

TIMEOUT_SECONDS: Final = 30.0
DRIP_SECONDS: Final = 1.0
# The largest response that is read at once.
BLOCK_BYTES: Final = 65_536


class ServiceClient:
    """Sends requests to one service over at most ``connections`` kept connections, each used by one greenlet at a time.

    A response is waited for ``timeout`` seconds. ``key`` is an API key, sent as a bearer token.
    """

    def __init__(self, address: str, connections: int, timeout: float = TIMEOUT_SECONDS, key: str = "") -> None:
        self.address, self._timeout = address, timeout
        parts = urlsplit(address)
        self._endpoint = (parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80))
        self._host, self._prefix = parts.netloc, parts.path.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {key}"} if key else {}
        self._pooled = HTTPClient.from_url(
            address,
            concurrency=connections,
            connection_timeout=timeout,
            network_timeout=timeout,
            block_size=BLOCK_BYTES,
            headers=self._authorization,
        )

    def send(self, request: Request) -> Response:
        """Send a request and wait for the response; its status is ``BROKEN`` if there is none."""
        started = perf_counter()
        try:
            if request.mode is SendMode.KEEP_ALIVE and request.content_length is None:
                return self._send_pooled(request, started)
            return self._send_alone(request, started)
        except (OSError, gevent.Timeout, ValueError) as error:  # the errors of geventhttpclient are among these
            return Response(BROKEN, perf_counter() - started, repr(error).encode())

    def close(self) -> None:
        """Close all connections."""
        self._pooled.close()

    def _send_pooled(self, request: Request, started: float) -> Response:
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        with gevent.Timeout(self._timeout):
            answer = self._pooled.request(request.method, self._prefix + request.target, body=request.body, headers=headers)
            body = answer.read()
        return _response(answer, bytes(body), started)

    def _send_alone(self, request: Request, started: float) -> Response:
        """Send a request over a connection of its own, as its mode says."""
        content = request.encode(self._host, self._authorization)
        with gevent.Timeout(self._timeout), socket.create_connection(self._endpoint, self._timeout) as connection:
            connection.sendall(content)
            if request.mode is SendMode.HANG_UP:
                return Response(HUNG_UP)
            drip = gevent.spawn(_drip, connection) if request.mode is SendMode.SLOW else None
            try:
                answer = HTTPSocketResponse(connection, method=request.method)
                return _response(answer, bytes(answer.read()), started)
            finally:
                if drip is not None:
                    drip.kill()


def _drip(connection: socket.socket) -> None:
    """Send a byte a second until the connection is closed."""
    while True:
        gevent.sleep(DRIP_SECONDS)
        try:
            connection.sendall(b"\0")
        except OSError:
            return


def _response(answer: HTTPSocketResponse, body: bytes, started: float) -> Response:
    headers = {name.lower().encode("latin-1"): str(value).encode("latin-1") for name, value in answer.headers}
    return Response(answer.get_code(), perf_counter() - started, body, headers)
