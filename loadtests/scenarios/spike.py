"""Spike: ``--rate`` arrivals a second, and three times as many in the middle third; whether it recovers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.arrivals import spike
from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import OpenLoopUser

Session.scenario = Scenario("spike", "open", lambda options: spike(options.rate, options.warm_up + options.duration, 3))


class Arrivals(OpenLoopUser):
    """All requests of one process."""
