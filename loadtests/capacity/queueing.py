"""How long requests wait for one of c workers: the M/M/c queue (Erlang C), solved for arrival rate, service rate and workers.

Requests arrive at random (Poisson, ``arrivals`` a second), wait in one queue, and are served by ``workers`` that each serve
``service_rate`` a second, with exponential times. See Kleinrock, "Queueing Systems", volume 1, 1975, section 3.5.
"""

from math import exp, inf
from typing import Final

# The precision, as a share, to which a rate is solved.
PRECISION: Final = 1e-6


def erlang_c(workers: int, load: float) -> float:
    """The probability that a request has to wait, 0 to 1; ``load`` is arrivals / service_rate.

    1 where the queue grows for ever. By way of Erlang's loss formula, B(c) = a B(c-1) / (c + a B(c-1)).
    """
    if load >= workers:
        return 1.0
    blocking = 1.0
    for count in range(1, workers + 1):
        blocking = load * blocking / (count + load * blocking)
    return blocking / (1 - load / workers * (1 - blocking))


def waiting_share(workers: int, service_rate: float, arrivals: float, seconds: float) -> float:
    """The share of requests that wait longer than ``seconds`` before they are served: C(c, a) exp(-(c mu - lambda) t)."""
    if arrivals >= workers * service_rate:
        return 1.0
    return erlang_c(workers, arrivals / service_rate) * exp(-(workers * service_rate - arrivals) * seconds)


def highest_rate(workers: int, service_rate: float, seconds: float, share: float) -> float:
    """The highest arrival rate at which at most ``share`` of the requests wait longer than ``seconds``."""
    low, high = 0.0, workers * service_rate
    while high - low > PRECISION * workers * service_rate:
        middle = (low + high) / 2
        if waiting_share(workers, service_rate, middle, seconds) <= share:
            low = middle
        else:
            high = middle
    return low


def fitted_service_rate(workers: int, arrivals: float, seconds: float, share: float) -> float:
    """The service rate of a worker with which ``arrivals`` is just the highest rate of ``highest_rate``."""
    low, high = arrivals / workers, arrivals / workers
    while waiting_share(workers, high, arrivals, seconds) > share:
        high *= 2
        if high == inf:
            raise ValueError(f"no service rate lets at most {share:.1%} of {arrivals:g} requests a second wait {seconds:g} s")
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if waiting_share(workers, middle, arrivals, seconds) <= share:
            high = middle
        else:
            low = middle
    return high


def least_workers(service_rate: float, arrivals: float, seconds: float, share: float) -> int:
    """The smallest number of workers behind one queue with which at most ``share`` of the requests wait so long."""
    workers = max(1, int(arrivals / service_rate))
    while highest_rate(workers, service_rate, seconds, share) < arrivals:
        workers += 1
    return workers
