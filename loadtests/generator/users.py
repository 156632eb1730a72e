"""Locust users: one that sends requests when they are due, and one that sends each after the response to the last."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final

import gevent
from locust import User, constant, tag, task

import loadtests.generator.events  # noqa: F401 - adds the options to Locust and listens to its events
from loadtests.generator.arrivals import poisson
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import open_loop
from loadtests.generator.session import Session
from loadtests.requests import Request, Response

# The highest rate of a profile is looked for at so many times.
PROFILE_SAMPLES: Final = 1000
# Seeds of processes and users are so far apart that none repeats another's arrivals or requests.
PROCESS_SEEDS: Final = 1_000_003
USER_SEEDS: Final = 1009


class ServiceUser(User):
    """A user of the service, with a client and an endless sequence of requests."""

    abstract = True
    connections: ClassVar[int] = 1
    started: ClassVar[int] = 0

    def on_start(self) -> None:
        """Open a client, and choose the requests."""
        self.session, options = Session.current, Session.current.options
        ServiceUser.started += 1
        self.seed = options.seed + PROCESS_SEEDS * self.session.index + USER_SEEDS * ServiceUser.started
        self.client = ServiceClient(str(self.environment.host or self.host), self.connections, options.timeout, options.key)
        self.requests: Iterator[Request] = self.session.source.requests(self.seed)

    def on_stop(self) -> None:
        """Close the connections."""
        self.client.close()


class OpenLoopUser(ServiceUser):
    """Sends the requests of its process at Poisson arrivals, whether or not earlier ones have been answered."""

    abstract = True
    connections = 1024

    @tag("open-loop")
    @task
    def load(self) -> None:
        """Send all requests of the run, wait for the last responses, and end the load of this process."""
        session, options = self.session, self.session.options
        profile, share = session.scenario.profile(options), 1 / session.processes
        highest = max(profile(session.length * sample / PROFILE_SAMPLES) for sample in range(PROFILE_SAMPLES))
        seed = options.seed + PROCESS_SEEDS * session.index
        arrivals = poisson(lambda time: share * profile(time), share * highest, session.length, seed)
        open_loop(self.client, arrivals, self.requests, session.handle, options.in_flight).join(options.timeout)
        session.end()
        gevent.sleep(options.timeout + session.length)  # until Locust stops this user


class ClosedLoopUser(ServiceUser):
    """Sends a request as soon as the last one has been answered."""

    abstract = True
    wait_time = constant(0)

    @tag("closed-loop")
    @task
    def load(self) -> None:
        """Send the next request."""
        self.send(next(self.requests))

    def send(self, request: Request) -> Response:
        """Send a request and record its response, if it came before the end of the run."""
        due = self.session.seconds
        response = replace(self.client.send(request), due=due)
        if self.session.seconds <= self.session.length:
            self.session.handle(request, response)
        return response

    def pause(self, seconds: float) -> None:
        """Think for so long."""
        gevent.sleep(seconds)
