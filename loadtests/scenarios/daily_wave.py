"""Daily wave: a day of arrivals in ``--duration`` seconds, from a tenth of ``--rate`` to ``--rate`` at noon, to scale with."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # locust runs this file by its path, outside the package

from loadtests.generator.arrivals import daily_wave
from loadtests.generator.session import Scenario, Session
from loadtests.generator.users import OpenLoopUser

Session.scenario = Scenario("daily-wave", "open", lambda options: daily_wave(options.rate, options.warm_up + options.duration))


class Arrivals(OpenLoopUser):
    """All requests of one process."""
