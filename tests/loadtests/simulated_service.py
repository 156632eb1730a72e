"""A simulated service with a Poisson stream of requests: a queue before some workers, whose work takes exponential times."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from math import exp, factorial
from random import Random

from scipy.optimize import brentq

from loadtests.generator.arrivals import constant, poisson
from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import Group
from loadtests.generator.results import Generator, Latencies, Outcomes, RunResult
from loadtests.peak.objectives import is_confirmed, meets
from loadtests.peak.results import Objectives, Purpose, Run
from loadtests.peak.runner import RunPlan

LAG_SECONDS = 0.001


def make_run(
    group: Group, seconds: float, rate: float | None, purpose: Purpose = "search", lag: float = LAG_SECONDS, void: str = ""
) -> Run:
    """A run with these outcomes and latencies, whose requests were all sent ``lag`` seconds late."""
    nothing = Latencies(count=0, p50=0, p90=0, p95=0, p99=0, p99_9=0, mean=0, max=0)
    lags = nothing.model_copy(update=dict.fromkeys(("p50", "p90", "p95", "p99", "p99_9", "mean", "max"), 1000 * lag))
    result = RunResult(
        scenario="multi-stream" if rate is None else "server",
        loop="closed" if rate is None else "open",
        started_at="2026-01-01T00:00:00+00:00",
        address="http://127.0.0.1:3000",
        seconds=seconds,
        rate=rate,
        slo_ms=50,
        seed=1,
        settings={},
        outcomes=Outcomes.of(group),
        latency_ms=Latencies.of(group.latencies),
        refusal_ms=nothing,
        statuses={},
        faults={},
        examples=[],
        kinds=[],
        series=[],
        generator=Generator(processes=1, lag_ms=lags, cpu_cores=0.1, void=[void] if void else []),
        histogram=group.latencies.encode().decode(),
    )
    met = (is_confirmed if purpose == "confirmation" else meets)(result, Objectives())
    return Run(purpose=purpose, met=met, result=result)


def answered(latencies: list[float], failed: int = 0, slo: float = 0.05) -> Group:
    """Correct responses with these latencies in seconds, to a tenth of a millisecond, and some errors."""
    group = Group(3)
    for ticks, count in Counter(round(seconds * 10_000) for seconds in latencies).items():
        group.latencies.record_value(max(1, ticks * 100), count)
    group.in_time = sum(seconds <= slo for seconds in latencies)
    group.outcomes.update({Outcome.CORRECT.value: len(latencies), Outcome.ERROR.value: failed})
    return group


@dataclass
class SimulatedService:
    """An M/M/c queue: ``workers`` that need ``work`` seconds on average. ``measure`` makes a run, as ``search.Measure``.

    The generator lags above ``generator_limit`` requests a second. In the runs number ``disturbed`` everything takes 0.2 s
    longer.
    """

    workers: int = 2
    work: float = 0.004
    generator_limit: float = float("inf")
    disturbed: frozenset[int] = frozenset()
    seed: int = 1
    plans: list[RunPlan] = field(default_factory=list)

    def measure(self, plan: RunPlan) -> Run:
        """Simulate one run."""
        self.plans.append(plan)
        number = len(self.plans)
        if plan.rate is None:
            count = int(plan.seconds * self.workers / self.work)
            return make_run(answered([32 * self.work / self.workers] * count), plan.seconds, None, plan.purpose)
        random, free, latencies = Random(self.seed * 1000 + number), [0.0] * self.workers, []
        delay = 0.2 if number in self.disturbed else 0.0
        for arrival in poisson(constant(plan.rate), plan.rate, plan.seconds, self.seed * 1000 + number):
            end = max(arrival, heapq.heappop(free)) + random.expovariate(1 / self.work)
            heapq.heappush(free, end)
            latencies.append(end - arrival + delay)
        late = plan.rate > self.generator_limit
        lag, void = (0.06, "the generator was late") if late else (LAG_SECONDS, "")
        return make_run(answered([one + lag * late for one in latencies]), plan.seconds, plan.rate, plan.purpose, lag, void)

    def peak(self, slo: float = 0.05, share: float = 0.99) -> float:
        """The rate at which the wanted share of requests is answered within ``slo`` seconds, by the M/M/c formula."""

        def missing(rate: float) -> float:
            return _late_share(rate, 1 / self.work, self.workers, slo) - (1 - share)

        capacity = self.workers / self.work
        return float(brentq(missing, 0.01 * capacity, 0.9999 * capacity))


def _late_share(rate: float, service_rate: float, workers: int, seconds: float) -> float:
    """P(response time > seconds) in an M/M/c queue (Kleinrock, Queueing Systems I; Erlang's C formula)."""
    load = rate / service_rate
    waiting = load**workers / factorial(workers) / (1 - load / workers)
    wait = waiting / (sum(load**count / factorial(count) for count in range(workers)) + waiting)
    drain = workers * service_rate - rate
    served = exp(-service_rate * seconds)
    if abs(drain - service_rate) < 1e-9:
        return (1 - wait) * served + wait * (1 + service_rate * seconds) * served
    mixed = (drain * served - service_rate * exp(-drain * seconds)) / (drain - service_rate)
    return (1 - wait) * served + wait * mixed
