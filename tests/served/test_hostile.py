"""Requests that no honest client sends, byte by byte: each gets an answer or a closed connection, and others are served all the
while."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from loadtests.samples import samples
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

SAMPLE = samples()[0]
PATHS = (
    "/", "/classify", "/classify/", "/classify/batch", "/explain", "/models", "/models/digits", "/gallery", "/gallery/export",
    "/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/docs.json", "/static_content/../service.py",
    "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/classify%00", "/\u00e4\u200b",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
SLOW = 64
# Of one of two workers: room for all slow bodies and the others beside them.
CONNECTIONS = 100
CROWD = 600
SECONDS = 30


@pytest.fixture(scope="module")
def address(model_store: Path) -> Iterator[str]:
    """A service whose bodies must arrive within three seconds, with few connections."""
    with start_service(model_store, free_port(), BODY_SECONDS="3", MAX_CONNECTIONS=str(CONNECTIONS)) as address:
        yield address


@pytest.fixture
def port(address: str) -> Iterator[int]:
    """The port of that service, which must read digits rightly afterwards."""
    yield int(address.rpartition(":")[2])
    assert httpx.post(f"{address}/classify", content=SAMPLE.data).json()["label"] == SAMPLE.label


def wire(port: int, content: bytes, *, hang_up: bool = False) -> bytes:
    """All that comes back for these bytes until the service closes the connection or has answered in full."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        try:
            connection.sendall(content)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # it was refused before all was sent; the answer may be there all the same
        return answer(connection)


def answer(connection: socket.socket) -> bytes:
    """What the service sends until it has answered in full or closes the connection."""
    received = b""
    while not complete(received):
        try:
            piece = connection.recv(65_536)
        except ConnectionError:
            break
        if not piece:
            break
        received += piece
    return received


def complete(received: bytes) -> bool:
    """Whether that is a whole answer."""
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= lengths[0]


def status(received: bytes) -> int:
    return int(received[9:12])


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /classify HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n" + body


def test_every_path_takes_every_method_without_a_fault(address: str) -> None:
    with httpx.Client(base_url=address, timeout=SECONDS) as client:
        for path in PATHS:
            for method in METHODS:
                response = client.request(method, path, content=b"x" if method in ("POST", "PUT", "PATCH") else None)
                assert response.status_code < 500, (method, path, response.text)
                if response.status_code >= 400 and method != "HEAD":
                    assert response.headers["content-type"] == "application/problem+json", (method, path)
                    assert response.json()["status"] == response.status_code
                if response.status_code == 405:
                    assert response.headers["allow"], (method, path)
                assert "root:" not in response.text


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), {400}),  # TLS
        (b"GET / HTTP/9.9\r\n\r\n", {400}),
        (b"\r\n\r\n\r\n\0", {400}),
        (b"POST /classify HTTP/1.1\r\n\r\n", {400}),  # no host, no body
        (post(b"Content-Length: -5\r\n"), {400}),
        (post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"abcdef"), {400}),
        (post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), {400}),
        (post(b"Content-Length: 99999999999999999999999\r\n"), {400, 413}),
        (post(b"Content-Length: 100000000\r\n"), {413}),
        (post(b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n"), {400, 408}),
        (post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n\r\n"), {400}),
        (post(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), {415}),
        (post(b"Transfer-Encoding: chunked\r\n", b"a00000\r\n" + bytes(10 << 20) + b"\r\n1\r\nx\r\n0\r\n\r\n"), {413}),
        (post(b"Content-Length: 0\r\n"), {400}),
        (post(b"Content-Type: multipart/form-data; boundary=\r\nContent-Length: 1\r\n", b"x"), {400}),
        (post(b"Content-Type: multipart/form-data; boundary=" + b"x" * 5000 + b"\r\nContent-Length: 1\r\n", b"x"), {400}),
        (post(b"Content-Encoding: gzip\r\nContent-Length: 4\r\n", b"\x1f\x8b\x08\x00"), {415}),
        (post(b"X: " + b"y" * 200_000 + b"\r\nContent-Length: 1\r\n", b"x"), {431}),
        (post(b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"Content-Length: 1\r\n", b"x"), {431}),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n", {431}),
        (post(b"Transfer-Encoding: chunked\r\n", b"1;" + b"x" * 200_000), {431}),
    ],
)  # fmt: skip
def test_broken_http_is_refused(port: int, content: bytes, statuses: set[int]) -> None:
    received = wire(port, content)
    assert not received or status(received) in statuses, received[:300]


def test_a_body_shorter_than_announced_and_hung_up_is_nobodys_loss(port: int) -> None:
    assert wire(port, post(b"Content-Length: 100\r\n", b"abc"), hang_up=True) == b""
    received = wire(port, post(b"Content-Length: 3\r\nConnection: close\r\n", b"abcdef"))
    assert status(received) == 415


@pytest.mark.parametrize("field", ["image", "model", "top_k"])
def test_fields_that_are_there_twice(port: int, field: str) -> None:
    parts = [("image", SAMPLE.data, "7.png"), ("model", b"digits", ""), ("top_k", b"2", "")]
    parts += [part for part in parts if part[0] == field]
    body = b"".join(
        b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="%s"' % file.encode() if file else b"", data)
        for name, data, file in parts
    )
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    response = httpx.post(f"http://127.0.0.1:{port}/classify", content=body + b"--edge--\r\n", headers=headers)
    assert response.status_code == (400 if field == "image" else 200)


def test_slow_bodies_end_in_408_and_keep_nobody_out(port: int) -> None:
    head = post(b"Content-Type: image/png\r\nContent-Length: 1000\r\n")
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=SECONDS)) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(head + b"\x89PNG")
        done = threading.Event()

        def dribble() -> None:
            while not done.wait(0.2):
                for connection in slow:
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        dribbling = threading.Thread(target=dribble)
        dribbling.start()
        try:
            meanwhile = 0  # answers before the first of the slow ones was given up
            for _ in range(20):
                response = httpx.post(f"http://127.0.0.1:{port}/classify", content=SAMPLE.data, timeout=SECONDS)
                assert response.json()["label"] == SAMPLE.label
                meanwhile += not any(is_readable(connection) for connection in slow)
            assert meanwhile
            for connection in slow:
                received = answer(connection)
                assert status(received) == 408
                assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == "slow_body"
        finally:
            done.set()
            dribbling.join()


def test_a_body_that_stops_arriving_ends_in_408(port: int) -> None:
    received = wire(port, post(b"Content-Type: image/png\r\nContent-Length: 1000\r\n", b"\x89PNG"))
    assert status(received) == 408
    assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == "slow_body"


def test_slow_heads_keep_nobody_out(port: int) -> None:
    with ExitStack() as stack:
        half = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=SECONDS)) for _ in range(CROWD)]
        for connection in half:
            with suppress(ConnectionError):  # it made room for another
                connection.sendall(b"POST /classify HTTP/1.1\r\nHo")
        for _ in range(20):
            response = httpx.post(f"http://127.0.0.1:{port}/classify", content=SAMPLE.data, timeout=SECONDS)
            assert response.json()["label"] == SAMPLE.label
        assert sum(is_closed(connection) for connection in half) >= CROWD - 2 * CONNECTIONS


def is_readable(connection: socket.socket) -> bool:
    """Whether the service has sent something, or has closed the connection."""
    return bool(select.select([connection], [], [], 0)[0])


def is_closed(connection: socket.socket) -> bool:
    """Whether the service has closed the connection."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
