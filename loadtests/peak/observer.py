"""Observes a service while it is under load: its processes, if they run on this machine, and its ``/metrics``."""

import time
from dataclasses import dataclass
from typing import Final

import httpx
import psutil

from loadtests.peak.results import ResourceSample, ServiceObservation
from loadtests.peak.service_metrics import ServiceMetrics, batch_sizes, scrape, stage_times
from loadtests.resources import ProcessStats, sample_processes

SAMPLE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Observation:
    """The service at one time, in seconds since the epoch; None where it could not be asked."""

    time: float
    processes: ProcessStats | None
    metrics: ServiceMetrics | None


class ServiceObserver:
    """Takes observations of a service during one run; ``process`` is its first process, None if it is on another machine."""

    def __init__(
        self,
        address: str,
        process: psutil.Process | None = None,
        key: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=address, headers=headers, transport=transport)
        self._process = process
        self.observations: list[Observation] = []

    def observe(self) -> None:
        """Take an observation."""
        now = time.time()
        processes = sample_processes(self._process) if self._process is not None and self._process.is_running() else None
        self.observations.append(Observation(now, processes, scrape(self._client)))

    def close(self) -> None:
        """Close the connection to the service."""
        self._client.close()

    def summarise(self, started: float, seconds: float) -> ServiceObservation:
        """What the service did in the ``seconds`` since ``started``, which counts since the epoch."""
        samples = [
            _sample(before, after, started)
            for before, after in zip(self.observations, self.observations[1:], strict=False)
            if 0 <= after.time - started <= seconds
        ]
        known = [(one.time, one.metrics) for one in self.observations if one.metrics is not None]
        if len(known) < 2:
            return ServiceObservation(resources=samples)
        before = [metrics for at, metrics in known if at <= started][-1:] or [known[0][1]]
        after = [metrics for at, metrics in known if at >= started + seconds][:1] or [known[-1][1]]
        return ServiceObservation(
            resources=samples,
            stages=stage_times(before[0], after[0]),
            batch_sizes=batch_sizes(before[0], after[0]),
            refused=round(after[0].refused - before[0].refused),
        )


def _sample(before: Observation, after: Observation, started: float) -> ResourceSample:
    """The service at the time of an observation; the CPU time is that since the one before."""
    sample = ResourceSample(second=round(after.time - started, 3))
    if before.processes is not None and after.processes is not None:
        used = after.processes.cpu_seconds - before.processes.cpu_seconds
        sample.cpu_cores = round(max(0.0, used) / (after.time - before.time), 3)
        sample.memory_mb = round(after.processes.private_mb, 1)
    if after.metrics is not None:
        sample.queue_depth, sample.in_flight = after.metrics.queue_depth, after.metrics.in_flight
    return sample
