"""``python -m loadtests.capacity REPORT --rate R``: the workers, replicas and cost that a rate of requests needs."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from loadtests.capacity.queueing import fitted_service_rate, highest_rate, least_workers
from loadtests.peak.results import LoadReport, Run
from loadtests.report import table

HOURS_A_MONTH: Final = 730
# What is left free for what a load test does not have: uneven balancing, a failed replica's share, a noisy neighbour.
HEADROOM: Final = 0.3
# The share of a request's time budget that must be left for waiting: below, the formula says nothing.
MIN_WAIT_SHARE: Final = 0.1


class CapacityError(Exception):
    """A report from which no capacity can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was measured of one replica.

    ``peak`` is its highest arrival rate within the objectives, ``base_seconds`` the time of a request that does not wait,
    ``wait_seconds`` what the latency objective leaves for waiting, ``late_share`` the share of requests that may take longer,
    ``service_rate`` what one worker serves a second according to the formula, ``cores`` the CPU at the peak (0: not measured).
    """

    workers: int
    peak: float
    base_seconds: float
    wait_seconds: float
    late_share: float
    service_rate: float
    cores: float

    @classmethod
    def of(cls, report: LoadReport, workers: int | None = None) -> "Capacity":
        """Read the capacity of a replica from a report; ``workers`` where the report does not know them.

        Raises:
            CapacityError: the report has no confirmed peak, or leaves no time for waiting.
        """
        peak, objectives = report.peak, report.objectives
        if peak is None or peak.rate is None:
            raise CapacityError("the report has no peak: run `make loadtest` without SCENARIO")
        count = workers or int(report.service_settings.get("WORKERS", 0))
        if not count:
            raise CapacityError("the report does not say how many workers the service had: give --workers")
        base = min((run.result for run in report.runs if run.result.loop == "open"), key=lambda one: one.offered)
        base_seconds, slo_seconds = base.latency_ms.p50 / 1000, objectives.slo_ms / 1000
        wait, late = slo_seconds - base_seconds, 1 - objectives.in_time_share
        if wait < MIN_WAIT_SHARE * slo_seconds:
            raise CapacityError(
                f"a request takes {1000 * base_seconds:.0f} ms without waiting, and the objective is {objectives.slo_ms:g} ms: "
                "no rate meets it safely; use a faster model or machine, or a larger SLO_MS"
            )
        rate = fitted_service_rate(count, peak.rate, wait, late)
        return cls(count, peak.rate, base_seconds, wait, late, rate, _cores_at(report.runs, peak.rate))

    def predict(self, workers: int) -> float:
        """The highest arrival rate of a replica with another number of workers."""
        return highest_rate(workers, self.service_rate, self.wait_seconds, self.late_share)


def _cores_at(runs: Sequence[Run], rate: float) -> float:
    """Mean CPU of the service, in cores, in the run whose rate is nearest; 0 where it was not measured."""
    found = {}
    for run in runs:
        samples = [sample.cpu_cores for sample in run.service.resources if sample.cpu_cores is not None]
        if samples and run.result.loop == "open":
            found[abs(run.result.offered - rate)] = sum(samples) / len(samples)
    return found[min(found)] if found else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rate needs: replicas like the measured one, and the workers of one large replica."""

    rate: float
    replicas: int
    workers: int
    utilisation: float
    cpu_target: float | None
    monthly_cost: float | None


def plan(capacity: Capacity, rate: float, headroom: float = HEADROOM, price: float | None = None) -> Plan:
    """Plan for ``rate`` requests a second with a share ``headroom`` of each peak left free; ``price`` is a replica's, an hour.

    A balancer splits random arrivals into random arrivals, so each replica is a queue of its own. When one is away, the others
    still carry the rate.
    """
    replicas = max(ceil(rate / ((1 - headroom) * capacity.peak)), ceil(rate / capacity.peak) + 1)
    workers = least_workers(capacity.service_rate, rate / (1 - headroom), capacity.wait_seconds, capacity.late_share)
    target = capacity.cores * (1 - headroom) / capacity.workers if capacity.cores else None
    cost = None if price is None else price * replicas * HOURS_A_MONTH
    return Plan(rate, replicas, workers, rate / replicas / capacity.peak, target, cost)


def text(capacity: Capacity, made: Plan, headroom: float) -> str:
    """The plan, as Markdown."""
    rows = [
        ["requests a second", f"{made.rate:g}"],
        ["replicas like the measured one", f"{made.replicas}"],
        ["their load, share of the measured peak", f"{made.utilisation:.0%}"],
        ["or one large machine: workers, a core each", f"{made.workers}"],
    ]
    if made.cpu_target is not None:
        rows.append(["target of the autoscaler: CPU of a replica, share of its cores", f"{made.cpu_target:.0%}"])
    if made.monthly_cost is not None:
        rows.append(["cost a month", f"{made.monthly_cost:,.2f}"])
    measured = (
        f"Measured: {capacity.peak:.0f} requests/s with {capacity.workers} workers; a request that does not wait takes "
        f"{1000 * capacity.base_seconds:.1f} ms, which leaves {1000 * capacity.wait_seconds:.1f} ms for waiting. By Erlang's "
        f"formula (M/M/c) a worker serves {capacity.service_rate:.0f} requests/s. {headroom:.0%} of each peak are left free, "
        "and one replica may be away."
    )
    return f"{measured}\n\n{table(('', 'needed'), rows)}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 2 if the report has no capacity."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.capacity", description=__doc__)
    parser.add_argument("report", type=Path, help="build/loadtest/report.json of `make loadtest`")
    parser.add_argument("--rate", type=_positive, required=True, help="requests a second at the busiest time")
    parser.add_argument("--workers", type=int, help="workers of the measured service, where the report does not say")
    parser.add_argument("--headroom", type=float, default=HEADROOM, help=f"share of each peak that is left free ({HEADROOM})")
    parser.add_argument("--price", type=_positive, help="of a replica's hour, in any currency")
    options = parser.parse_args(arguments)
    if not 0 <= options.headroom < 1:
        parser.error(f"--headroom {options.headroom:g}: must be 0 or more and below 1")
    try:
        report = LoadReport.model_validate_json(options.report.read_bytes())
        capacity = Capacity.of(report, options.workers)
    except (OSError, ValidationError, CapacityError) as error:
        sys.stderr.write(f"{options.report}: {error}\n")
        return 2
    sys.stdout.write(text(capacity, plan(capacity, options.rate, options.headroom, options.price), options.headroom))
    return 0


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


if __name__ == "__main__":
    sys.exit(main())
