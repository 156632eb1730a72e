"""Sends requests in an open loop, when they are due, or in a closed one, each after the response to the last."""

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from math import inf
from time import perf_counter
from typing import Final

import gevent
from gevent.pool import Pool

from loadtests.generator.client import ServiceClient
from loadtests.requests import DROPPED, Request, Response

Handler = Callable[[Request, Response], object]
# So often other greenlets get a turn while the generator is behind.
YIELD_EVERY: Final = 8
NICENESS: Final = -10


def prioritise() -> None:
    """Have this process scheduled before the service, where that is allowed: what is late must be the service.

    Processes that are started afterwards inherit it.
    """
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def open_loop(
    client: ServiceClient,
    arrivals: Iterable[float],
    requests: Iterator[Request],
    handle: Handler,
    in_flight: int,
    max_late: float = inf,
) -> Pool:
    """Send a request at each arrival (seconds from now), whether or not earlier ones have been answered.

    The seconds of each response count from when its request was due, and ``Response.lag`` is how much later it was sent. With
    ``in_flight`` requests unanswered, or one later than ``max_late`` seconds, a request is ``DROPPED``: it is not sent.
    Returns the greenlets whose requests are still unanswered.
    """
    gc.freeze()  # or a collection that looks at all modules delays the requests due meanwhile by a tenth of a second
    started, pool = perf_counter(), Pool(in_flight)

    def send(request: Request, due: float) -> None:
        lag = perf_counter() - due
        response = client.send(request)
        handle(request, replace(response, seconds=perf_counter() - due, due=due - started, lag=lag))

    for number, arrival in enumerate(arrivals):
        due = started + arrival
        ahead = due - perf_counter()
        if ahead > 0:
            gevent.sleep(ahead)
        elif number % YIELD_EVERY == 0:
            gevent.sleep(0)
        request = next(requests)
        if pool.full() or perf_counter() - due > max_late:
            handle(request, Response(DROPPED, due=arrival))
        else:
            pool.spawn(send, request, due)
    return pool


def closed_loop(
    client: ServiceClient, requests: Iterator[Request], handle: Handler, clients: int, seconds: float = inf
) -> float:
    """Send requests from ``clients`` clients, each of which sends the next one when it has the response.

    Ends with the requests or after ``seconds``. Returns how many seconds it took.
    """
    started = perf_counter()

    def run() -> None:
        for request in requests:
            due = perf_counter() - started
            handle(request, replace(client.send(request), due=due))
            if perf_counter() > started + seconds:
                return

    gevent.joinall([gevent.spawn(run) for _ in range(clients)], raise_error=True)
    return perf_counter() - started
