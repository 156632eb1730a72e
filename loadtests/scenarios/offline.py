"""Offline: ``--users`` clients (4) send batches of ``--batch`` images to /classify/batch; images a second without haste."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import ClosedLoopUser

Session.scenario = Scenario("offline", "closed", users=4, images=lambda options: options.batch)


class Client(ClosedLoopUser):
    """One of the clients."""
