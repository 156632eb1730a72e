"""How the service did in the last minutes, from its metrics; while the panel is open, the page asks every two seconds."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from ui.api.service_metrics import Buckets, ServiceMetrics, counts_by_bound, difference, percentile

_SESSION_KEY: Final = "service-metrics"
INTERVAL_SECONDS: Final = 2.0
# Rates and percentiles are of this time: long enough to have values at a few requests per second.
WINDOW_SECONDS: Final = 10.0
HISTORY_SECONDS: Final = 180.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How the service did in the last `WINDOW_SECONDS`; without requests there are no percentiles."""

    requests_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    batch_sizes: dict[int, int]
    queue: float
    in_flight: float


@dataclass(slots=True)
class Monitor:
    """The metrics of the last minutes with their times in seconds, and the rates that follow from them, oldest first."""

    samples: deque[tuple[float, ServiceMetrics]] = field(default_factory=deque)
    rates: deque[Rates] = field(default_factory=lambda: deque(maxlen=int(HISTORY_SECONDS / INTERVAL_SECONDS)))

    @classmethod
    def current(cls) -> "Monitor":
        """Return the visitor's; create it on the first run."""
        monitor = st.session_state.get(_SESSION_KEY)
        if not isinstance(monitor, cls):
            monitor = st.session_state[_SESSION_KEY] = cls()
        return monitor

    def add(self, now: float, metrics: ServiceMetrics) -> None:
        """Add the metrics at a time. After a restart of the service, or a long pause, everything before is forgotten."""
        if self.samples:
            before, last = self.samples[-1]
            if metrics.requests < last.requests or now - before > WINDOW_SECONDS:
                self.samples.clear()
                self.rates.clear()
        self.samples.append((now, metrics))
        while now - self.samples[0][0] > WINDOW_SECONDS:
            self.samples.popleft()
        start, first = self.samples[0]
        if now > start:
            self.rates.append(rates(first, metrics, now - start))


def rates(before: ServiceMetrics, after: ServiceMetrics, seconds: float) -> Rates:
    """Return the rates between two times that lie `seconds` apart."""
    durations = difference(before.durations, after.durations)
    return Rates(
        requests_per_second=(after.requests - before.requests) / seconds,
        p50_ms=_milliseconds(durations, 0.5),
        p99_ms=_milliseconds(durations, 0.99),
        batch_sizes=counts_by_bound(difference(before.batch_sizes, after.batch_sizes)),
        queue=after.queue,
        in_flight=after.in_flight,
    )


def _milliseconds(durations: Buckets, share: float) -> float | None:
    seconds = percentile(durations, share)
    return None if seconds is None else 1000 * seconds
