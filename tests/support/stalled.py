"""Clients that send most of a large body and then wait."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PIECE: Final = memoryview(bytes(262_144))


class Stalled:
    """Connections that each send a head and ``size`` bytes, as fast as the service takes them, until ``close``."""

    def __init__(self, port: int, head: bytes, size: int, connections: int) -> None:
        self.refused = 0  # those that were answered
        self.sent = 0
        self._selector = selectors.DefaultSelector()
        self._left: dict[socket.socket, int] = {}
        for _ in range(connections):
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            one.sendall(head)
            one.setblocking(False)
            self._left[one] = size
            self._selector.register(one, selectors.EVENT_READ | selectors.EVENT_WRITE)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    @property
    def settled(self) -> bool:
        """Whether every connection was answered, was closed, or has sent all that it means to."""
        return not any(self._left.values())

    def close(self) -> None:
        """Hang up everywhere."""
        self._done.set()
        self._thread.join()
        for one in self._left:
            one.close()
        self._selector.close()

    def _send(self) -> None:
        while not self._done.is_set():
            for key, events in self._selector.select(0.1):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                if events & selectors.EVENT_READ:
                    self._read(one)
                elif self._left[one]:
                    self._write(one)
                else:
                    self._selector.modify(one, selectors.EVENT_READ)

    def _read(self, one: socket.socket) -> None:
        try:
            received = one.recv(65_536)
        except OSError:
            received = b""
        self.refused += received.startswith(b"HTTP/1.1 4")
        if not received:
            self._left[one] = 0
            self._selector.unregister(one)

    def _write(self, one: socket.socket) -> None:
        try:
            sent = one.send(PIECE[: self._left[one]])
        except BlockingIOError:
            return
        except OSError:
            return  # the next look at it says that it is closed
        self._left[one] -= sent
        self.sent += sent


@contextmanager
def stalled(port: int, head: bytes, size: int, connections: int) -> Iterator[Stalled]:
    """Such clients until the block ends."""
    crowd = Stalled(port, head, size, connections)
    try:
        yield crowd
    finally:
        crowd.close()
