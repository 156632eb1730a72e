"""Load reports of a simulated service: workers with a bounded queue, Poisson arrivals, latencies in real HDR histograms."""

import heapq
from dataclasses import dataclass
from random import Random
from typing import Final

from loadtests.generator.arrivals import Profile, constant, poisson
from loadtests.generator.recorder import Recorder
from loadtests.generator.results import Generator, Latencies, Outcomes, RunResult, kinds_of, series_of, void_reasons
from loadtests.machine import Machine
from loadtests.peak.results import LoadReport, Objectives, Peak, Purpose, ResourceSample, Run, ServiceObservation, StageTime
from loadtests.requests import BROKEN, DROPPED, Request, Response

SLO_MS: Final = 50.0
SECONDS: Final = 3.0
REQUEST: Final = Request("canvas to digits, body", labels=(b'"label":"7"',))
RIGHT: Final = b'{"version":"1.0.0","label":"7"}'
PROBLEM: Final = b'{"status":429,"code":"overloaded"}'
PROBLEM_HEADERS: Final = {b"content-type": b"application/problem+json", b"retry-after": b"1"}


@dataclass(frozen=True)
class Service:
    """A simulated service: workers, mean ms of work on a request, how many may wait, and shares of wrong and failed ones."""

    workers: int = 2
    work_ms: float = 5.0
    queue: int = 16
    wrong: float = 0.0
    error: float = 0.0
    wrong_body: bytes = b'{"version":"1.0.0","label":"1"}'


def simulate(service: Service, profile: Profile, highest: float, seconds: float, seed: int, in_flight: int = 512) -> Recorder:
    """Record what callers of the service get when requests arrive at a rate; more than ``in_flight`` unanswered are dropped."""
    random, recorder = Random(seed), Recorder(SLO_MS / 1000)
    free = [0.0] * service.workers  # when each worker is free again
    ends: list[float] = []  # when the requests that were accepted are answered
    for due in poisson(profile, highest, seconds, seed):
        while ends and ends[0] <= due:
            heapq.heappop(ends)
        if len(ends) >= in_flight:
            recorder.add(REQUEST, Response(DROPPED, due=due))
            continue
        lag = random.uniform(0, 0.001)
        if len(ends) >= service.queue + service.workers:
            recorder.add(REQUEST, Response(429, random.uniform(0.001, 0.004), PROBLEM, PROBLEM_HEADERS, due, lag))
            continue
        begin = max(due, heapq.heappop(free))
        end = begin + random.gammavariate(9, service.work_ms / 9000)
        heapq.heappush(free, end)
        heapq.heappush(ends, end)
        chance = random.random()
        if chance < service.error:
            recorder.add(REQUEST, Response(BROKEN if chance < service.error / 2 else 500, end - due, b"", due=due, lag=lag))
        else:
            body = service.wrong_body if chance < service.error + service.wrong else RIGHT
            recorder.add(REQUEST, Response(200, end - due, body, due=due, lag=lag))
    return recorder


def make_result(
    recorder: Recorder, rate: float | None, seconds: float, scenario: str = "server", seed: int = 1, void: str = ""
) -> RunResult:
    """The result of a recorded run; a reason makes it void."""
    reasons = [void] if void else void_reasons(recorder, None)
    lag = Latencies.of(recorder.lag)
    return RunResult(
        scenario=scenario,
        loop="closed" if rate is None else "open",
        started_at="2026-03-01T12:00:00+00:00",
        address="http://127.0.0.1:3000",
        seconds=seconds,
        rate=rate,
        slo_ms=SLO_MS,
        seed=seed,
        settings={"rate": str(rate), "mix": "canvas", "models": "digits", "duration": str(seconds)},
        outcomes=Outcomes.of(recorder.total),
        latency_ms=Latencies.of(recorder.total.latencies),
        refusal_ms=Latencies.of(recorder.refusals),
        statuses=dict(recorder.statuses),
        faults=dict(recorder.faults.most_common()),
        examples=recorder.examples,
        kinds=kinds_of(recorder),
        series=series_of(recorder),
        generator=Generator(processes=1, lag_ms=lag, cpu_cores=0.1 + recorder.total.due / seconds * 0.0004, void=reasons),
        histogram=recorder.total.latencies.encode().decode(),
    )


def observe(service: Service, result: RunResult) -> ServiceObservation:
    """What the simulated service did in a run."""
    load = min(1.0, result.offered * service.work_ms / 1000 / service.workers)
    wait = max(0.05, result.latency_ms.mean - service.work_ms)
    samples = [
        ResourceSample(
            second=second,
            cpu_cores=load * service.workers,
            memory_mb=420 + 40 * load,
            queue_depth=wait / 1000 * result.throughput,
            in_flight=result.latency_ms.mean / 1000 * result.throughput,
        )
        for second in range(int(result.seconds))
    ]
    answered = result.outcomes.correct
    means = {"decode": 0.2, "preprocess": 0.4, "queue": 0.3, "inference": 0.3}
    stages = [
        StageTime(name=name, count=answered, mean_ms=share * service.work_ms, p99_ms=4 * share * service.work_ms)
        for name, share in means.items()
    ]
    stages[2].mean_ms, stages[2].p99_ms = wait, 5 * wait
    batches = {1: round(answered * (1 - load / 2)), 2: round(answered * load / 8), 4: round(answered * load / 20)}
    return ServiceObservation(resources=samples, stages=stages, batch_sizes=batches, refused=result.outcomes.refused)


def make_run(
    service: Service,
    rate: float,
    purpose: Purpose = "search",
    seed: int = 1,
    void: str = "",
    seconds: float = SECONDS,
    in_flight: int = 512,
) -> Run:
    """A run at a constant rate."""
    recorder = simulate(service, constant(rate), rate, seconds, seed, in_flight)
    result = make_result(recorder, rate, seconds, seed=seed, void=void)
    return Run(purpose=purpose, met=met(result), result=result, service=observe(service, result))


def make_scenario(service: Service, name: str, profile: Profile, rate: float, seconds: float = 30.0, void: str = "") -> Run:
    """A run of a scenario whose rate follows a profile up to ``rate``."""
    result = make_result(simulate(service, profile, rate, seconds, 1), rate, seconds, name, void=void)
    return Run(purpose="scenario", met=met(result), result=result, service=observe(service, result))


def make_closed_loop(service: Service, purpose: Purpose, name: str, requests: int = 300) -> Run:
    """A run of one caller who sends a request when the one before was answered."""
    random, recorder, now = Random(1), Recorder(SLO_MS / 1000), 0.0
    for _ in range(requests):
        seconds = random.gammavariate(9, service.work_ms / 9000)
        failed = random.random() < service.error
        recorder.add(REQUEST, Response(500 if failed else 200, seconds, b"" if failed else RIGHT, due=now))
        now += seconds
    result = make_result(recorder, None, now, name)
    return Run(purpose=purpose, met=met(result), result=result, service=observe(service, result))


def met(result: RunResult) -> bool:
    """Whether a run met the default objectives."""
    outcomes, objectives = result.outcomes, Objectives()
    enough = result.loop == "closed" or outcomes.in_time >= objectives.in_time_share * outcomes.due
    return not result.void and enough and outcomes.failed <= objectives.failed_share * outcomes.due


def make_report(runs: list[Run], peak: Peak | None = None, title: str = "Simulated service") -> LoadReport:
    """A report of runs."""
    machine = Machine(
        cpu="Example CPU", cores=2, memory_gb=8.0, system="Linux 6.1", versions={"python": "3.12.1", "bentoml": "1.4.39"}
    )
    return LoadReport(
        created_at="2026-03-01T12:10:00+00:00",
        title=title,
        machine=machine,
        service_settings={"WORKERS": "2", "MAX_IN_FLIGHT": "64"},
        objectives=Objectives(),
        runs=runs,
        peak=peak,
    )


def search_report(
    service: Service = Service(), scale: float = 1.0, seed: int = 0, seconds: float = SECONDS, title: str = "Simulated service"
) -> LoadReport:
    """A search: rates from far below to twice the peak, and three confirmations; ``scale`` multiplies all rates."""
    peak = 360.0 * scale
    rates = [0.25, 0.5, 0.75, 0.9, 1.1, 1.3, 2.0]
    runs = [make_run(service, part * peak, "curve", seed + place, seconds=seconds) for place, part in enumerate(rates)]
    runs += [make_run(service, peak, "confirmation", seed + place, seconds=seconds) for place in (11, 12, 13)]
    goodputs = [run.result.goodput for run in runs if run.purpose == "confirmation"]
    spread = (max(goodputs) - min(goodputs)) / (sum(goodputs) / 3)
    return make_report(runs, Peak(rate=peak, confirmed=True, spread=spread, noisy=False), title)
