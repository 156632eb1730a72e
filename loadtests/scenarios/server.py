"""Server: requests arrive at ``--rate`` a second whether or not earlier ones have been answered; what users wait."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.arrivals import constant
from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import OpenLoopUser

Session.scenario = Scenario("server", "open", lambda options: constant(options.rate))


class Arrivals(OpenLoopUser):
    """All requests of one process."""
