"""Steps: arrivals in five equal steps up to ``--rate`` a second; where waiting begins."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.arrivals import steps
from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import OpenLoopUser

Session.scenario = Scenario("steps", "open", lambda options: steps(options.rate, options.warm_up + options.duration, 5))


class Arrivals(OpenLoopUser):
    """All requests of one process."""
