"""Visitor: ``--users`` people (50) at the page; each looks at the models, draws stroke by stroke, and sometimes asks why."""

import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from locust import tag, task

from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import ClosedLoopUser
from loadtests.requests import Request

Session.scenario = Scenario("visitor", "closed", users=50)
# Strokes of a drawing; after each the page asks for an answer.
STROKES = (1, 4)
EXPLAINED_SHARE = 0.1
# Seconds from one stroke to the next, and from one drawing to the next: a uniform distribution.
STROKE_PAUSE = (0.4, 1.5)
DRAWING_PAUSE = (1.0, 6.0)


class Visitor(ClosedLoopUser):
    """Draws one picture after the other."""

    def on_start(self) -> None:
        """Open the page, which asks for the models."""
        super().on_start()
        self.random = Random(self.seed)
        self.send(Request("models", "/models", method="GET"))

    @tag("closed-loop")
    @task
    def load(self) -> None:
        """Draw one picture, look at the answer after each stroke, and at times at its explanation."""
        request = next(self.requests)
        for _ in range(self.random.randint(*STROKES)):
            self.pause(self.random.uniform(*STROKE_PAUSE))
            self.send(request)
        if self.random.random() < EXPLAINED_SHARE and request.good:
            self.send(Request("explain", request.target.replace("/classify", "/explain"), request.body, request.content_type))
        self.pause(self.random.uniform(*DRAWING_PAUSE))
