"""The result of one run of the generator, as its JSON file holds it."""

from typing import Final, Literal

from hdrh.histogram import HdrHistogram
from pydantic import BaseModel

from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import PERCENTS, Group, Recorder, milliseconds

SCHEMA_VERSION: Final = 1
# A run is void when the generator itself was this late, or sent this much less or more than it was asked for.
MAX_LAG_MS: Final = 10.0
MAX_SHORTFALL: Final = 0.05
# Beyond so many standard deviations of a Poisson process a difference from the asked rate is no chance.
SIGMAS: Final = 4.0
# What is wanted unless somebody says otherwise: this share of the requests correct in time, at most that share failed.
IN_TIME_SHARE: Final = 0.99
FAILED_SHARE: Final = 0.001
# Exit codes: everything was met, something was missed, the run says nothing.
PASSED, MISSED, VOID = 0, 1, 2


class Latencies(BaseModel):
    """Percentiles of latencies in ms; all zero if there are none."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    p99_9: float
    mean: float
    max: float

    @classmethod
    def of(cls, latencies: HdrHistogram) -> "Latencies":
        """The percentiles of a histogram of microseconds."""
        count = latencies.get_total_count()
        p50, p90, p95, p99, p99_9 = milliseconds(latencies, *PERCENTS)
        mean, highest = (latencies.get_mean_value() / 1000, latencies.get_max_value() / 1000) if count else (0.0, 0.0)
        return cls(count=count, p50=p50, p90=p90, p95=p95, p99=p99, p99_9=p99_9, mean=mean, max=highest)


class Outcomes(BaseModel):
    """How many requests were due, and what came of them; ``in_time`` of the correct ones met the latency objective."""

    due: int
    in_time: int
    correct: int
    wrong: int
    error: int
    refused: int
    dropped: int
    abandoned: int

    @classmethod
    def of(cls, group: Group) -> "Outcomes":
        """The outcomes of a group."""
        counts = {outcome.value: group.count(outcome) for outcome in Outcome}
        return cls(due=group.due, in_time=group.in_time, **counts)

    @property
    def failed(self) -> int:
        """Requests without a correct response."""
        return self.wrong + self.error + self.refused + self.dropped


class Second(BaseModel):
    """The requests that were due in one second of a run; latencies in ms from the due time, of correct responses."""

    second: int
    outcomes: Outcomes
    p50: float
    p99: float


class Kind(BaseModel):
    """The requests of one kind: pictures, model and form of body."""

    name: str
    outcomes: Outcomes
    latency_ms: Latencies


class Generator(BaseModel):
    """The generator itself: its lag behind the due times, its CPU time in cores, and why its run is void."""

    processes: int
    lag_ms: Latencies
    cpu_cores: float
    void: list[str]


class RunResult(BaseModel):
    """One run: what was asked of the generator, and what it measured.

    ``rate`` is what was asked for in requests a second, None in a closed loop. Latencies count from the time at which a request
    was due in an open loop, from its sending in a closed one. ``histogram`` is that of ``latency_ms`` in whole microseconds, in
    the compressed form of HdrHistogram, version 2.
    """

    schema_version: int = SCHEMA_VERSION
    scenario: str
    loop: Literal["open", "closed"]
    started_at: str
    address: str
    seconds: float
    rate: float | None
    slo_ms: float
    seed: int
    settings: dict[str, str]
    outcomes: Outcomes
    latency_ms: Latencies
    refusal_ms: Latencies
    statuses: dict[str, int]
    faults: dict[str, int]
    examples: list[str]
    kinds: list[Kind]
    series: list[Second]
    generator: Generator
    histogram: str

    @property
    def offered(self) -> float:
        """Requests due a second."""
        return self.outcomes.due / self.seconds

    @property
    def throughput(self) -> float:
        """Correct responses a second."""
        return self.outcomes.correct / self.seconds

    @property
    def goodput(self) -> float:
        """Correct responses in time, a second."""
        return self.outcomes.in_time / self.seconds

    def meets(self, in_time_share: float, failed_share: float) -> bool:
        """Whether few enough of the requests failed, and in an open loop enough had a correct response in time."""
        outcomes = self.outcomes
        in_time = self.loop == "closed" or outcomes.in_time >= in_time_share * outcomes.due
        return in_time and outcomes.due > 0 and outcomes.failed <= failed_share * outcomes.due

    @property
    def void(self) -> bool:
        """Whether the generator did not send what it was asked for when it was due, so that the figures say nothing."""
        return bool(self.generator.void)


def kinds_of(recorder: Recorder) -> list[Kind]:
    """The kinds of requests of a run."""
    return [
        Kind(name=name, outcomes=Outcomes.of(group), latency_ms=Latencies.of(group.latencies))
        for name, group in sorted(recorder.kinds.items())
    ]


def series_of(recorder: Recorder) -> list[Second]:
    """The seconds of a run."""
    found = []
    for second, group in sorted(recorder.seconds.items()):
        p50, p99 = milliseconds(group.latencies, 50, 99)
        found.append(Second(second=second, outcomes=Outcomes.of(group), p50=p50, p99=p99))
    return found


def void_reasons(recorder: Recorder, expected: float | None) -> list[str]:
    """Why a run says nothing about the service; ``expected`` is how many requests had to be due, None in a closed loop."""
    (lag,) = milliseconds(recorder.lag, 99)
    reasons = []
    if not recorder.total.due:
        reasons.append("no request was due")
    if lag > MAX_LAG_MS:
        reasons.append(f"the generator sent 1 % of the requests more than {lag:.1f} ms late; {MAX_LAG_MS:g} ms are allowed")
    if expected is not None:
        allowed = max(MAX_SHORTFALL * expected, SIGMAS * expected**0.5)
        if abs(recorder.total.due - expected) > allowed:
            reasons.append(f"{recorder.total.due:,} requests were due, and {expected:,.0f} were asked for")
    return reasons
