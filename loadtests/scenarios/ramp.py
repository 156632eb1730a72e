"""Ramp: arrivals from none up to ``--rate`` a second at the end; at which rate it breaks."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.arrivals import ramp
from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import OpenLoopUser

Session.scenario = Scenario("ramp", "open", lambda options: ramp(options.rate, options.warm_up + options.duration))


class Arrivals(OpenLoopUser):
    """All requests of one process."""
