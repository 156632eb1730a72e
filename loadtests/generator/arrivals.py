"""When requests arrive: seeded Poisson processes whose rate is constant or follows a profile."""

from collections.abc import Callable, Iterator
from math import cos, pi
from random import Random

Profile = Callable[[float], float]
"""Requests a second at a time, in seconds since the start."""


def poisson(profile: Profile, highest: float, seconds: float, seed: int) -> Iterator[float]:
    """Arrival times in seconds of a Poisson process, the same for the same seed.

    ``highest`` is at least the highest rate of the profile: arrivals at that rate are thinned out where the profile is lower
    (Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979).
    """
    if highest <= 0:
        return
    random = Random(seed)
    time = random.expovariate(highest)
    while time < seconds:
        if random.random() * highest < profile(time):
            yield time
        time += random.expovariate(highest)


def constant(rate: float) -> Profile:
    """The same rate at all times."""
    return lambda _: rate


def ramp(rate: float, seconds: float) -> Profile:
    """From nothing to ``rate`` in ``seconds``."""
    return lambda time: rate * min(1.0, time / seconds)


def steps(rate: float, seconds: float, count: int) -> Profile:
    """``count`` equal steps up to ``rate``, the last one at ``rate`` until ``seconds``."""
    return lambda time: rate * min(count, int(time / seconds * count) + 1) / count


def spike(rate: float, seconds: float, factor: float) -> Profile:
    """``rate``, but ``factor`` times as much in the middle third of ``seconds``."""
    return lambda time: rate * (factor if seconds / 3 <= time < 2 * seconds / 3 else 1.0)


def daily_wave(rate: float, seconds: float, night: float = 0.1) -> Profile:
    """A day in ``seconds``: from the share ``night`` of ``rate`` up to ``rate`` at noon and back."""
    return lambda time: rate * (night + (1 - night) * (1 - cos(2 * pi * time / seconds)) / 2)
