"""The HTTP client of the load generator: connections, send modes, timeouts, broken responses."""

import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count

import gevent
import pytest
from gevent import socket as gevent_socket

from loadtests.generator import client as client_module
from loadtests.generator.client import ServiceClient
from loadtests.requests import BROKEN, HUNG_UP, Request, SendMode
from tests.support.raw_service import OK, Handle, answer_ok, raw_service

GET = Request("get", "/models", method="GET")
OWN = Request("own", mode=SendMode.OWN_CONNECTION)
HANG_UP = Request("aborted", body=b"x", content_length=9, mode=SendMode.HANG_UP)
SLOW = Request("slow", body=b"x", content_length=9, mode=SendMode.SLOW)


@contextmanager
def connected(handle: Handle, connections: int, timeout: float = 5.0) -> Iterator[ServiceClient]:
    """A client of a service that calls ``handle`` for each connection."""
    with raw_service(handle) as address, closing(ServiceClient(address, connections, timeout)) as client:
        yield client


def answer(content: bytes) -> Handle:
    """Answer every request with ``content``, and close the connection."""

    def handle(connection: gevent_socket.socket) -> None:
        connection.recv(100_000)
        connection.sendall(content)

    return handle


def read_all(received: list[bytes]) -> Handle:
    """Collect what comes until the client disconnects, and answer nothing."""

    def handle(connection: gevent_socket.socket) -> None:
        while data := connection.recv(100_000):
            received.append(data)

    return handle


def test_response_has_status_body_and_headers_in_lower_case() -> None:
    content = b"HTTP/1.1 201 Created\r\nLocation: /gallery/1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    with connected(answer(content), 1) as client:
        response = client.send(GET)
    assert (response.status, response.body, response.headers[b"location"]) == (201, b"ok", b"/gallery/1")
    assert response.seconds > 0


def test_request_has_the_prefix_of_the_address_and_the_key() -> None:
    received: list[bytes] = []

    def handle(connection: gevent_socket.socket) -> None:
        received.append(connection.recv(1000))
        connection.sendall(OK)

    with raw_service(handle) as address, closing(ServiceClient(f"{address}/v1/", 1, key="secret")) as client:
        assert client.send(GET).status == 200
    assert received[0].split(b"\r\n")[:3] == [
        *(b"GET /v1/models HTTP/1.1", f"Host: {address[7:]}".encode(), b"Authorization: Bearer secret")
    ]


@pytest.mark.parametrize(
    ("address", "endpoint", "host"),
    [
        ("https://example.org", ("example.org", 443), "example.org"),
        ("https://example.org:8443/api", ("example.org", 8443), "example.org:8443"),
        ("http://localhost", ("localhost", 80), "localhost"),
        ("http://[::1]:3000", ("::1", 3000), "[::1]:3000"),
    ],
)
def test_endpoint_follows_from_the_address(address: str, endpoint: tuple[str, int], host: str) -> None:
    client = ServiceClient(address, 1)
    assert (client.endpoint, client.host) == (endpoint, host)


def test_https_to_a_service_without_tls_is_no_response() -> None:
    with raw_service(answer(OK)) as address:
        response = ServiceClient(address.replace("http", "https"), 1, timeout=1).send(GET)
    assert response.status == BROKEN
    assert b"SSL" in response.body


def test_connections_are_kept_and_at_most_as_many_as_allowed() -> None:
    with connected(answer_ok, 2) as client:
        sending = [gevent.spawn(client.send, GET) for _ in range(5)]
        assert [one.get().status for one in sending] == [200] * 5
        assert client.open_connections == 2
        assert client.send(OWN).body == b"ok"
        assert client.send(HANG_UP).status == HUNG_UP
        assert client.open_connections == 2
        client.close()
        assert client.open_connections == 0


def test_requests_one_after_the_other_go_over_many_connections_in_turn() -> None:
    served: list[gevent_socket.socket] = []

    def note(connection: gevent_socket.socket) -> None:
        while connection.recv(1000):
            served.append(connection)
            connection.sendall(OK)

    with connected(note, 3) as client:
        for _ in range(9):
            assert client.send(GET).status == 200
    first, second, third, *_ = served
    assert len({first, second, third}) == 3
    assert served == [first, second, third] * 3


def test_closed_or_long_unused_connections_are_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = count(1)

    def answer_once(connection: gevent_socket.socket) -> None:
        next(connections)
        connection.recv(1000)
        connection.sendall(OK)
        gevent.sleep(0)

    with connected(answer_once, 1) as client:
        for _ in range(5):
            assert client.send(GET).status == 200
            gevent.sleep(0.005)  # the service closes the connection meanwhile
        assert next(connections) == 6
    with connected(answer_ok, 3) as client:
        gevent.joinall([gevent.spawn(client.send, GET) for _ in range(3)])
        monkeypatch.setattr(client_module, "IDLE_SECONDS", 0.0)
        assert client.open_connections == 3
        assert client.send(GET).status == 200
        assert client.open_connections == 1


def test_service_that_closes_after_each_response_is_asked_over_new_connections() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    with connected(answer(closing), 1) as client:
        assert [client.send(GET).status for _ in range(3)] == [200] * 3
        assert client.open_connections == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"no HTTP at all\r\n\r\n",
    ],
)
def test_incomplete_or_wrong_response_is_no_response(content: bytes) -> None:
    with connected(answer(content), 1) as client:
        response = client.send(GET)
        assert (response.status, client.open_connections) == (BROKEN, 0)
        assert response.body  # the reason


def test_unreachable_service_is_no_response() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        response = ServiceClient(f"http://127.0.0.1:{closed.getsockname()[1]}", 1).send(GET)
    assert response.status == BROKEN
    assert b"refused" in response.body


@pytest.mark.parametrize("mode", [SendMode.KEEP_ALIVE, SendMode.OWN_CONNECTION, SendMode.SLOW])
def test_missing_response_times_out(mode: SendMode) -> None:
    with connected(read_all([]), 1, timeout=0.05) as client:
        response = client.send(Request("late", mode=mode))
        assert (response.status, client.open_connections) == (BROKEN, 0)
        assert b"no response within 0.05 s" in response.body
        assert 0.05 <= response.seconds < 5


def test_waiting_for_a_free_connection_counts_for_the_timeout() -> None:
    with connected(read_all([]), 1, timeout=0.1) as client:
        sending = [gevent.spawn(client.send, GET) for _ in range(2)]
        assert [one.get().status for one in sending] == [BROKEN] * 2
        assert client.send(GET).status == BROKEN  # the slots are free again


def test_larger_response_than_allowed_is_no_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 100_000)
    with connected(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000)), 1) as client:
        assert len(client.send(GET).body) == 100_000
    with connected(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n" + bytes(100_001)), 1) as client:
        response = client.send(GET)
    assert response.status == BROKEN
    assert b"more than 100,000 bytes" in response.body


def test_response_before_the_end_of_the_body_is_received() -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    def refuse(connection: gevent_socket.socket) -> None:
        connection.recv(100)
        connection.sendall(refusal)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000_000):
            pass

    with connected(refuse, 1, timeout=5) as client:
        assert client.send(Request("large", body=bytes(5_000_000))).status == 413


def test_announced_length_is_sent_with_less_and_over_one_connection() -> None:
    with connected(answer(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"), 1) as client:
        part = Request("large", body=b"x", content_length=20_000_000, mode=SendMode.OWN_CONNECTION)
        assert (client.send(part).status, client.open_connections) == (413, 0)


def test_hang_up_sends_the_request_and_closes_the_connection() -> None:
    received: list[bytes] = []
    with connected(read_all(received), 1) as client:
        assert client.send(HANG_UP).status == HUNG_UP
        with gevent.Timeout(5):
            while not received:
                gevent.sleep(0.001)
    assert b"".join(received).endswith(b"Content-Length: 9\r\n\r\nx")


def test_slow_request_sends_byte_after_byte_until_the_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "DRIP_SECONDS", 0.001)
    received = bytearray()

    def refuse_after_three_bytes(connection: gevent_socket.socket) -> None:
        while not received.endswith(b"x\0\0\0"):
            received.extend(connection.recv(1000))
        connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")

    with connected(refuse_after_three_bytes, 1, timeout=5) as client:
        assert (client.send(SLOW).status, client.open_connections) == (408, 0)


def test_connection_reset_during_a_slow_request_is_no_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "DRIP_SECONDS", 0.0005)

    def reset(connection: gevent_socket.socket) -> None:
        linger = struct.pack("ii", 1, 0)  # for no time: what is sent after the end is answered with a reset
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        gevent.sleep(0.002)
        connection.close()

    with connected(reset, 1, timeout=5) as client:
        assert [client.send(SLOW).status for _ in range(20)] == [BROKEN] * 20


def test_more_than_a_thousand_connections_are_kept() -> None:
    """File descriptors above 1,023, which ``select`` cannot wait for, are used again like others."""
    arrived = 0

    def answer_when_all_have_arrived(connection: gevent_socket.socket) -> None:
        nonlocal arrived
        while connection.recv(1000):
            arrived += 1
            while arrived < 1100:
                gevent.sleep(0.01)
            connection.sendall(OK)

    with connected(answer_when_all_have_arrived, 1100) as client:
        sending = [gevent.spawn(client.send, GET) for _ in range(1100)]
        assert {one.get().status for one in sending} == {200}
        assert client.open_connections == 1100
        assert client.send(GET).status == 200
        assert client.open_connections == 1100
        client.close()
