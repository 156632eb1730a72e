"""Multi stream: ``--users`` clients (32), each sends its next request when it has the response; the highest throughput."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import ClosedLoopUser

Session.scenario = Scenario("multi-stream", "closed", users=32)


class Client(ClosedLoopUser):
    """One of the clients."""
