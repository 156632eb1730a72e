"""Load on a service in a closed or an open loop, and statistics of the responses."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from time import perf_counter
from typing import Final

import numpy as np

from loadtests.http_client import ConnectionPool
from loadtests.requests import DROPPED, HUNG_UP, SUCCESS, Request, Response, SendMode, find_fault

TICK_SECONDS: Final = 0.005
MAX_EXAMPLES: Final = 1000
# A 5xx that says what is the matter and when to try again.
UNAVAILABLE: Final = 503
# Handled in place of a request that was not sent because it was late.
LATE: Final = Request("late")

Handler = Callable[[Request, Response], None]


@dataclass(slots=True)
class Stats:
    """Responses of some time: counts by status, latencies in seconds by (request is good, response is a success), and faults.

    ``good_faults`` are good requests without a correct response, ``bad_faults`` bad ones that were not refused correctly, by
    name and fault; ``examples`` has some of both. ``dropped`` requests were due and not sent; the response to ``hung_up`` ones
    was not waited for. Latencies of slow requests are left out.
    """

    duration: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: dict[tuple[bool, bool], list[float]] = field(default_factory=dict)
    good_faults: Counter[str] = field(default_factory=Counter)
    bad_faults: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[Request, str]] = field(default_factory=list)
    hung_up: int = 0
    dropped: int = 0

    def add(self, request: Request, response: Response) -> None:
        """Count a response."""
        if response.status == DROPPED:
            self.dropped += 1
        elif response.status == HUNG_UP:
            self.hung_up += 1
        else:
            self.statuses[response.status] += 1
            if request.mode is not SendMode.SLOW:
                self.latencies.setdefault((request.good, response.status in SUCCESS), []).append(response.seconds)
            if fault := find_fault(request, response):
                (self.good_faults if request.good else self.bad_faults)[f"{request.name}: {fault}"] += 1
                if len(self.examples) < MAX_EXAMPLES:
                    self.examples.append((request, f"{fault}: {response.body[-200:]!r}"))

    @property
    def sent(self) -> int:
        """Number of requests that were sent."""
        return self.statuses.total() + self.hung_up

    @property
    def rate(self) -> float:
        """Requests sent per second."""
        return self.sent / self.duration

    @property
    def goodput(self) -> float:
        """Successful responses per second."""
        return sum(self.statuses[status] for status in SUCCESS) / self.duration

    @property
    def server_errors(self) -> int:
        """Number of 5xx responses other than 503."""
        return sum(count for status, count in self.statuses.items() if status >= 500 and status != UNAVAILABLE)

    def seconds(self, good: bool | None = None, success: bool | None = None) -> list[float]:
        """Latencies of good or bad requests with successful or other responses; None stands for both."""
        keys = [key for key in self.latencies if good in (None, key[0]) and success in (None, key[1])]
        return [seconds for key in keys for seconds in self.latencies[key]]

    def milliseconds(self, *percents: float, good: bool | None = None, success: bool | None = None) -> list[float]:
        """Percentiles of the latencies in ms; zeros if there are none."""
        return [float(value) * 1000 for value in np.percentile(self.seconds(good, success) or [0.0], percents)]

    def status_counts(self) -> str:
        """How many responses had each status."""
        return ", ".join(f"{count:,} x {status}" for status, count in sorted(self.statuses.items()))


async def closed_loop(
    pool: ConnectionPool, requests: Iterator[Request], handle: Handler, clients: int, seconds: float = inf
) -> float:
    """Send requests from ``clients`` clients, each of which sends the next one when it has the response.

    Ends with the requests or after ``seconds``. Returns how many seconds it took.
    """
    started = perf_counter()

    async def client() -> None:
        for request in requests:
            handle(request, await pool.send(request))
            if perf_counter() > started + seconds:
                return

    await asyncio.gather(*(client() for _ in range(clients)))
    return perf_counter() - started


async def open_loop(
    pool: ConnectionPool, requests: Iterator[Request], handle: Handler, rate: float, seconds: float, max_late: float = inf
) -> set["asyncio.Task[None]"]:
    """Send ``rate`` requests a second, whether or not earlier ones have been answered.

    A request that is late by more than ``max_late`` seconds is ``DROPPED``: catching up at once would be another load than the
    one that is wanted. Latencies count from when a request was due, not from when it was sent. Returns the tasks of the
    requests that are still being answered at the end.
    """
    started, number = perf_counter(), 0
    tasks: set[asyncio.Task[None]] = set()
    tick = TICK_SECONDS if rate * TICK_SECONDS > 1 else 0.0

    async def send(request: Request, due: float) -> None:
        response = await pool.send(request)
        handle(request, replace(response, seconds=perf_counter() - due))

    while (now := perf_counter() - started) < seconds:
        while number < int(now * rate):
            number += 1
            if now - number / rate > max_late:
                handle(LATE, Response(DROPPED))
                continue
            task = asyncio.create_task(send(next(requests), started + number / rate))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(max(tick, started + (number + 1) / rate - perf_counter()))
    return tasks
