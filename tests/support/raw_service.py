"""A service made of one function: what it does with each connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gevent import socket
from gevent.server import StreamServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Handle = Callable[[socket.socket], None]


@contextmanager
def raw_service(handle: Handle) -> Iterator[str]:
    """Call ``handle`` with every connection, in a greenlet of this thread; yields the address."""

    def serve(connection: socket.socket, _: object) -> None:
        handle(connection)

    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stop(timeout=1)


def answer_ok(connection: socket.socket) -> None:
    """Answer 200 to whatever comes until the client disconnects."""
    while connection.recv(100_000):
        connection.sendall(OK)
