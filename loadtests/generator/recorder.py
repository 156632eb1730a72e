"""Counts of outcomes and HDR histograms of latencies, which add up over the processes of the generator."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from loadtests.generator.outcomes import Outcome, judge
from loadtests.requests import SUCCESS, Request, Response, SendMode

# Latencies are recorded in whole microseconds up to two minutes.
MICROSECONDS: Final = 1_000_000
HIGHEST: Final = 120 * MICROSECONDS
# Significant digits: of all latencies, and of those of one second or one kind of request.
DIGITS: Final = 3
COARSE_DIGITS: Final = 2
PERCENTS: Final = (50.0, 90.0, 95.0, 99.0, 99.9)
MAX_EXAMPLES: Final = 20
# A 5xx that says what is the matter and when to try again.
UNAVAILABLE: Final = 503

Counts = Counter[str]
KindOf = Callable[[Request, Response], str]
"""The kind of a request, whose outcomes and latencies are counted apart."""


def histogram(digits: int = DIGITS) -> HdrHistogram:
    """An empty histogram of microseconds."""
    return HdrHistogram(1, HIGHEST, digits)


def by_name(request: Request, _: Response) -> str:
    """Requests by their name."""
    return request.name


def by_success(request: Request, response: Response) -> str:
    """``good`` requests; bad ones that were ``accepted`` nevertheless; and those that were ``refused``, or not answered."""
    return "good" if request.good else "accepted" if response.status in SUCCESS else "refused"


class Group:
    """Outcomes by name, those in time, and latencies from the due time of what was answered correctly.

    Latencies of slow requests are left out.
    """

    def __init__(self, digits: int) -> None:
        self.outcomes: Counts = Counter()
        self.in_time = 0
        self.latencies = histogram(digits)

    def add(self, outcome: Outcome, seconds: float | None, slo_seconds: float) -> None:
        """Count an outcome; ``seconds`` is the latency, None for a slow request."""
        self.outcomes[outcome.value] += 1
        if outcome is Outcome.CORRECT and seconds is not None:
            self.in_time += seconds <= slo_seconds
            record(self.latencies, seconds)

    def document(self) -> dict[str, Any]:
        """The group as a message between processes."""
        return {"outcomes": dict(self.outcomes), "in_time": self.in_time, "latencies": self.latencies.encode().decode()}

    def merge(self, document: Mapping[str, Any]) -> None:
        """Add the counts of another process."""
        self.outcomes.update(document["outcomes"])
        self.in_time += document["in_time"]
        self.latencies.decode_and_add(document["latencies"])

    @property
    def due(self) -> int:
        """Number of requests that were due, sent or not."""
        return self.outcomes.total()

    @property
    def sent(self) -> int:
        """Number of requests that were sent."""
        return self.due - self.count(Outcome.DROPPED)

    @property
    def faulty(self) -> int:
        """Number of requests that were sent and not answered correctly."""
        return self.count(Outcome.WRONG, Outcome.ERROR, Outcome.REFUSED)

    def count(self, *outcomes: Outcome) -> int:
        """Number of requests with these outcomes."""
        return sum(self.outcomes[outcome.value] for outcome in outcomes)


class Recorder:
    """Everything that is counted in a run: in all, by second of the due time, and by kind of request.

    ``slo_seconds`` is the latency within which a correct response is in time. Requests due before ``warm_up`` seconds are left
    out. ``lag`` is how long after its due time a request was sent; ``refusals`` are the latencies of refusals, ``errors`` those
    of wrong and missing responses. ``duration`` is how many seconds the load took, where the one who ran it says so.
    """

    def __init__(self, slo_seconds: float = inf, warm_up: float = 0.0, kind: KindOf = by_name) -> None:
        self.slo_seconds, self.warm_up, self.kind = slo_seconds, warm_up, kind
        self.duration = 0.0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.total = Group(DIGITS)
        self.kinds: dict[str, Group] = defaultdict(lambda: Group(COARSE_DIGITS))
        self.seconds: dict[int, Group] = defaultdict(lambda: Group(COARSE_DIGITS))
        self.lag, self.refusals, self.errors = histogram(), histogram(), histogram()
        self.faults: Counts = Counter()
        self.statuses: Counts = Counter()
        self.examples: list[str] = []

    def add(self, request: Request, response: Response) -> tuple[Outcome, str]:
        """Count a response, and return its outcome and what is wrong with it."""
        outcome, fault = judge(request, response)
        if response.due < self.warm_up:
            return outcome, fault
        seconds = None if request.mode is SendMode.SLOW else response.seconds
        for group in (self.total, self.kinds[self.kind(request, response)], self.seconds[int(response.due - self.warm_up)]):
            group.add(outcome, seconds, self.slo_seconds)
        if outcome is not Outcome.DROPPED:
            record(self.lag, response.lag)
        if outcome not in (Outcome.DROPPED, Outcome.ABANDONED):
            self.statuses[str(response.status)] += 1
        if outcome is Outcome.REFUSED:
            record(self.refusals, response.seconds)
        elif outcome in (Outcome.WRONG, Outcome.ERROR) and seconds is not None:
            record(self.errors, seconds)
        if fault:
            self.faults[f"{request.name}: {fault}"] += 1
            if len(self.examples) < MAX_EXAMPLES and outcome in (Outcome.WRONG, Outcome.ERROR):
                self.examples.append(f"{request.name}: {fault}: {response.body[-200:]!r}")
        return outcome, fault

    @property
    def rate(self) -> float:
        """Requests sent a second."""
        return self.total.sent / self.duration

    @property
    def goodput(self) -> float:
        """Correct responses in time, a second."""
        return self.total.in_time / self.duration

    @property
    def answered(self) -> HdrHistogram:
        """Latencies of all requests that were sent, whatever came of them."""
        latencies = histogram()
        for part in (self.total.latencies, self.refusals, self.errors):
            latencies.add(part)
        return latencies

    @property
    def server_errors(self) -> int:
        """Number of 5xx responses other than 503."""
        return sum(count for status, count in self.statuses.items() if int(status) >= 500 and int(status) != UNAVAILABLE)

    def status_counts(self) -> str:
        """How many responses had each status; 0 stands for no response."""
        return ", ".join(f"{self.statuses[status]:,} x {status}" for status in sorted(self.statuses, key=int))

    def document(self) -> dict[str, Any]:
        """All counts as a message between processes."""
        return {
            "total": self.total.document(),
            "kinds": {name: group.document() for name, group in self.kinds.items()},
            "seconds": {str(second): group.document() for second, group in self.seconds.items()},
            "lag": self.lag.encode().decode(),
            "refusals": self.refusals.encode().decode(),
            "errors": self.errors.encode().decode(),
            "faults": dict(self.faults),
            "statuses": dict(self.statuses),
            "examples": self.examples,
        }

    def merge(self, document: Mapping[str, Any]) -> None:
        """Add the counts of another process."""
        self.total.merge(document["total"])
        for name, group in document["kinds"].items():
            self.kinds[name].merge(group)
        for second, group in document["seconds"].items():
            self.seconds[int(second)].merge(group)
        self.lag.decode_and_add(document["lag"])
        self.refusals.decode_and_add(document["refusals"])
        self.errors.decode_and_add(document["errors"])
        self.faults.update(document["faults"])
        self.statuses.update(document["statuses"])
        self.examples = (self.examples + document["examples"])[:MAX_EXAMPLES]


def record(latencies: HdrHistogram, seconds: float) -> None:
    """Record a latency, which must not be lost because it is too small or too large."""
    latencies.record_value(min(HIGHEST, max(1, round(seconds * MICROSECONDS))))


def milliseconds(latencies: HdrHistogram, *percents: float) -> list[float]:
    """Percentiles of a histogram in ms; zeros if it is empty."""
    if not latencies.get_total_count():
        return [0.0 for _ in percents]
    return [latencies.get_value_at_percentile(percent) * 1000 / MICROSECONDS for percent in percents]
