"""Single stream: one client that sends a request as soon as the last one has been answered; how long one answer takes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import ClosedLoopUser

Session.scenario = Scenario("single-stream", "closed")


class Client(ClosedLoopUser):
    """The only client."""

    fixed_count = 1
