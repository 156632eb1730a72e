"""Open and closed loops: when requests are sent, from when latencies count, what is dropped."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import repeat

import gevent
import pytest
from gevent import socket as gevent_socket

from loadtests.generator.arrivals import constant, poisson
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import closed_loop, open_loop
from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import Recorder, milliseconds
from loadtests.requests import DROPPED, Request, Response
from tests.support.raw_service import OK, answer_ok, raw_service

REQUEST = Request("one", method="GET")


@pytest.fixture
def client() -> Iterator[ServiceClient]:
    with raw_service(answer_ok) as address, closing(ServiceClient(address, 64)) as client:
        yield client


@pytest.fixture
def slow_client() -> Iterator[ServiceClient]:
    """Of a service that answers each request after 0.1 s."""

    def answer_late(connection: gevent_socket.socket) -> None:
        while connection.recv(1000):
            gevent.sleep(0.1)
            connection.sendall(OK)

    with raw_service(answer_late) as address, closing(ServiceClient(address, 64)) as client:
        yield client


def test_closed_loop_ends_with_the_requests(client: ServiceClient) -> None:
    recorder = Recorder()
    recorder.duration = closed_loop(client, iter([REQUEST] * 7), recorder.add, clients=2)
    assert recorder.statuses == {"200": 7}
    assert recorder.rate == recorder.goodput == 7 / recorder.duration


def test_closed_loop_waits_for_each_response_and_ends_in_time(slow_client: ServiceClient) -> None:
    responses: list[Response] = []
    seconds = closed_loop(slow_client, repeat(REQUEST), lambda _, response: responses.append(response), 3, 0.25)
    assert len(responses) == 9
    assert 0.3 <= seconds < 1
    assert [round(response.due, 1) for response in responses] == [0.0] * 3 + [0.1] * 3 + [0.2] * 3


def test_error_in_a_handler_ends_the_closed_loop(client: ServiceClient) -> None:
    def fail(_request: Request, _response: Response) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        closed_loop(client, repeat(REQUEST), fail, 1)


def test_open_loop_sends_each_request_when_it_is_due(client: ServiceClient) -> None:
    arrivals, found = [0.0, 0.01, 0.05, 0.2], list[Response]()
    open_loop(client, arrivals, repeat(REQUEST), lambda _, response: found.append(response), 64).join()
    assert sorted(response.due for response in found) == pytest.approx(arrivals)  # answered in any order
    assert all(0 <= response.lag <= response.seconds for response in found)


def test_open_loop_does_not_wait_for_responses(slow_client: ServiceClient) -> None:
    """50 requests in 0.1 s, each answered after 0.1 s: a closed loop with one connection would take 5 s."""
    recorder, started = Recorder(), time.perf_counter()
    unanswered = open_loop(slow_client, poisson(constant(500), 500, 0.1, 1), repeat(REQUEST), recorder.add, 1000)
    assert len(unanswered) > 0
    unanswered.join()
    assert recorder.total.count(Outcome.CORRECT) == recorder.total.due > 25
    assert time.perf_counter() - started < 1


def test_latency_counts_from_the_due_time() -> None:
    """The service does not answer for 0.3 s; each request that was due meanwhile waited from its own time on."""
    ready = time.perf_counter() + 0.3

    def answer_from_then_on(connection: gevent_socket.socket) -> None:
        while connection.recv(1000):
            gevent.sleep(max(0.0, ready - time.perf_counter()))
            connection.sendall(OK)

    found: list[Response] = []
    with raw_service(answer_from_then_on) as address, closing(ServiceClient(address, 1)) as client:
        open_loop(client, [0.0, 0.1, 0.2], repeat(REQUEST), lambda _, response: found.append(response), 64).join()
    assert [round(response.seconds, 1) for response in found] == [0.3, 0.2, 0.1]
    assert max(response.lag for response in found) < 0.1


def test_lag_of_the_generator_is_recorded_apart_from_latency(client: ServiceClient) -> None:
    recorder = Recorder()

    def requests() -> Iterator[Request]:
        yield REQUEST
        time.sleep(0.2)  # what is busy is this process
        yield from repeat(REQUEST)

    open_loop(client, [0.0, 0.01, 0.02], requests(), recorder.add, 64).join()
    (lag,) = milliseconds(recorder.lag, 99)
    assert lag == pytest.approx(200, rel=0.3)
    assert milliseconds(recorder.total.latencies, 99)[0] >= lag


def test_requests_beyond_those_in_flight_are_dropped(slow_client: ServiceClient) -> None:
    found: list[Response] = []
    open_loop(slow_client, [0.0] * 5, repeat(REQUEST), lambda _, response: found.append(response), 2).join()
    assert sorted(response.status for response in found) == [DROPPED] * 3 + [200] * 2


def test_requests_that_are_too_late_are_dropped(client: ServiceClient) -> None:
    recorder = Recorder()
    open_loop(client, [number / 1000 for number in range(50)], repeat(REQUEST), recorder.add, 64, max_late=-1.0).join()
    assert (recorder.total.due, recorder.total.sent, recorder.total.count(Outcome.DROPPED)) == (50, 0, 50)


def test_unreachable_service_is_an_error_for_every_request() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        recorder, client = Recorder(), ServiceClient(f"http://127.0.0.1:{closed.getsockname()[1]}", 4)
        open_loop(client, [0.0, 0.01], repeat(REQUEST), recorder.add, 64).join()
    assert recorder.total.count(Outcome.ERROR) == 2
    assert recorder.faults == {"one: no response": 2}
