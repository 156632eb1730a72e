"""A run of the generator in Locust: its options, what all processes recorded, and its end. Its start: ``events``."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, Final, Literal

import gevent
import psutil
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests.generator.arrivals import Profile, constant
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import prioritise
from loadtests.generator.mixes import RequestSource
from loadtests.generator.options import RunOptions
from loadtests.generator.recorder import Recorder
from loadtests.generator.results import (
    FAILED_SHARE,
    IN_TIME_SHARE,
    MISSED,
    PASSED,
    VOID,
    Generator,
    Latencies,
    Outcomes,
    RunResult,
    kinds_of,
    series_of,
    void_reasons,
)
from loadtests.requests import Request, Response

# The message of a worker whose load has ended, with what was recorded since its last report.
DONE: Final = "load_done"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is sent: when, by how many users (closed loop), and, given by the options, how many images in each request."""

    name: str
    loop: Literal["open", "closed"]
    profile: Callable[[RunOptions], Profile] = lambda options: constant(options.rate)
    users: int = 1
    images: Callable[[RunOptions], int] = lambda _: 1


class Session:
    """The run of one process. The file of a scenario sets ``scenario``; ``current`` is made at each start of a test."""

    scenario: ClassVar[Scenario]
    current: ClassVar["Session"]

    def __init__(self, environment: Environment) -> None:
        parsed = environment.parsed_options
        assert parsed is not None
        self.environment, self.options = environment, RunOptions.of(parsed)
        self.processes = max(1, parsed.expect_workers) if isinstance(environment.runner, MasterRunner | WorkerRunner) else 1
        self.index = environment.runner.worker_index if isinstance(environment.runner, WorkerRunner) else 0
        self.recorder = Recorder(self.options.slo_ms / 1000, self.options.warm_up)
        self.started, self.started_at = perf_counter(), datetime.now(timezone.utc)
        self.cpu_seconds, self._cpu_before = 0.0, _cpu_seconds()
        self.finished, self.reported = 0, False
        self.source = RequestSource(self.options.picture_mix(self.scenario.images(self.options)))

    def prepare(self) -> None:
        """Send every request once, so that its labels are known; start the clock.

        Raises:
            MixError: the service does not answer one as it must.
        """
        client = ServiceClient(str(self.environment.host), 1, self.options.timeout, self.options.key)
        self.source.learn(client)
        client.close()
        prioritise()
        self.started, self.started_at = perf_counter(), datetime.now(timezone.utc)
        self._cpu_before = _cpu_seconds()
        if self.scenario.loop == "closed":
            gevent.spawn_later(self.length, self.end)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self.started

    @property
    def length(self) -> float:
        """Seconds of the whole run, with the warm-up."""
        return self.options.warm_up + self.options.duration

    def handle(self, request: Request, response: Response) -> None:
        """Record a response, and tell Locust's own statistics."""
        _, fault = self.recorder.add(request, response)
        self.environment.events.request.fire(
            request_type=request.method,
            name=request.name,
            response_time=response.seconds * 1000 if response.status > 0 else None,
            response_length=len(response.body),
            exception=Exception(fault) if fault else None,
            context={},
        )

    def document(self) -> dict[str, Any]:
        """What was recorded since the last document, as a message to the master."""
        now = _cpu_seconds()
        document = {"recorder": self.recorder.document(), "cpu_seconds": now - self._cpu_before}
        self._cpu_before = now
        self.recorder.clear()
        return document

    def merge(self, document: dict[str, Any]) -> None:
        """Add what a worker recorded."""
        self.recorder.merge(document["recorder"])
        self.cpu_seconds += document["cpu_seconds"]

    def end(self) -> None:
        """End the load of this process; the run ends when all processes have ended theirs."""
        runner = self.environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(DONE, self.document())
        else:
            gevent.spawn(self.finish)

    def finish(self) -> None:
        """Report the run, and end Locust, or with the web page only the test."""
        self.report()
        runner, parsed = self.environment.runner, self.environment.parsed_options
        assert runner is not None and parsed is not None
        (runner.quit if parsed.headless else runner.stop)()

    def report(self) -> None:
        """Write and print the result, and set the exit code; once."""
        if self.reported:
            return
        self.reported = True
        if not isinstance(self.environment.runner, MasterRunner):
            self.cpu_seconds = _cpu_seconds() - self._cpu_before
        result = self.result()
        if self.options.result:
            path = Path(self.options.result)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
        sys.stdout.write(summary(result))
        met = result.meets(IN_TIME_SHARE, FAILED_SHARE)
        self.environment.process_exit_code = VOID if result.void else PASSED if met else MISSED

    def result(self) -> RunResult:
        """The result of the run as far as it got."""
        options, recorder = self.options, self.recorder
        seconds = max(0.001, min(options.duration, self.seconds - options.warm_up))
        expected = self.expected() if self.scenario.loop == "open" else None
        reasons = void_reasons(recorder, expected)
        return RunResult(
            scenario=self.scenario.name,
            loop=self.scenario.loop,
            started_at=self.started_at.isoformat(timespec="milliseconds"),
            address=str(self.environment.host),
            seconds=seconds,
            rate=options.rate if self.scenario.loop == "open" else None,
            slo_ms=options.slo_ms,
            seed=options.seed,
            settings=options.settings(),
            outcomes=Outcomes.of(recorder.total),
            latency_ms=Latencies.of(recorder.total.latencies),
            refusal_ms=Latencies.of(recorder.refusals),
            statuses=dict(sorted(recorder.statuses.items())),
            faults=dict(recorder.faults.most_common()),
            examples=recorder.examples,
            kinds=kinds_of(recorder),
            series=series_of(recorder),
            generator=Generator(
                processes=self.processes,
                lag_ms=Latencies.of(recorder.lag),
                cpu_cores=self.cpu_seconds / max(0.001, self.seconds),
                void=reasons,
            ),
            histogram=recorder.total.latencies.encode().decode(),
        )

    def expected(self) -> float:
        """How many requests have to be due in the measured time."""
        profile, options = self.scenario.profile(self.options), self.options
        ticks = 1000
        middles = (options.warm_up + options.duration * (tick + 0.5) / ticks for tick in range(ticks))
        return sum(map(profile, middles)) * options.duration / ticks


def summary(result: RunResult) -> str:
    """A run in a few lines."""
    outcomes, latency, lag = result.outcomes, result.latency_ms, result.generator.lag_ms
    counts = ", ".join(f"{count:,} {name}" for name, count in outcomes.model_dump().items() if count and name != "due")
    lines = [
        f"{result.scenario}: {outcomes.due:,} requests due in {result.seconds:.1f} s ({result.offered:.1f}/s): {counts}",
        f"latency in ms: p50 {latency.p50:.1f}, p90 {latency.p90:.1f}, p99 {latency.p99:.1f}, max {latency.max:.1f}; "
        f"generator: p99 {lag.p99:.1f} ms late, {result.generator.cpu_cores:.2f} cores",
        *(f"  {count:,} x {fault}" for fault, count in list(result.faults.items())[:5]),
        *(f"void: {reason}" for reason in result.generator.void),
    ]
    return "\n".join(lines) + "\n"


def _cpu_seconds() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)
