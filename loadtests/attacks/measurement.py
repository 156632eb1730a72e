"""Measures ordinary requests during an attack, and the memory of the service."""

import asyncio
import multiprocessing
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

from loadtests.attacks.attacks import PREPARATIONS, run_attack
from loadtests.http_client import FORM_TYPE, ConnectionPool, Request, encode_form, encode_request
from loadtests.images import LABEL, load_images
from loadtests.load import Stats, open_loop
from loadtests.processes import Server
from loadtests.report import YES_NO, Check, Report

RATE: Final = 40.0
MAX_CONNECTIONS: Final = 512
TIMEOUT_SECONDS: Final = 10.0
SAMPLE_SECONDS: Final = 0.2
WARM_UP_SECONDS: Final = 2.0
START_SECONDS: Final = 60.0
# From the start of the attack until ordinary requests are measured.
LEAD_SECONDS: Final = 1.0
AFTER_SECONDS: Final = 15.0
MAX_FAILED: Final = 0.02
MAX_P99_MS: Final = 500.0
BODY_BUDGET_MB: Final = 256.0
# Besides the bodies: images being decoded, responses, and what the allocator keeps.
OTHER_MB: Final = 128.0
MAX_LEFT_MB: Final = 96.0


@dataclass(slots=True)
class AttackReport(Report):
    """Responses to ordinary requests, with latencies from when each was due, and the private memory of the service in MB:
    before the attack, at most during it, and a while after it."""

    name: str
    before_mb: float
    stats: Stats = field(default_factory=Stats)
    peak_mb: float = 0.0
    after_mb: float = 0.0

    @property
    def requests(self) -> int:
        """Number of ordinary requests, including those for which no connection was free."""
        return self.stats.sent + self.stats.dropped

    @property
    def failed(self) -> float:
        """Share of ordinary requests without the right label."""
        return (self.stats.good_faults.total() + self.stats.dropped) / max(1, self.requests)

    def checks(self) -> list[Check]:
        """What an attack may do to ordinary requests and to memory."""
        p99 = self.stats.milliseconds(99)
        grown, left, most_grown = self.peak_mb - self.before_mb, self.after_mb - self.before_mb, BODY_BUDGET_MB + OTHER_MB
        return [
            Check("ordinary requests", "some", f"{self.requests}", self.requests > 0),
            Check("failed", f"at most {MAX_FAILED:.0%}", f"{self.failed:.1%}", self.failed <= MAX_FAILED),
            Check("p99", f"under {MAX_P99_MS:g} ms", f"{p99:.0f} ms", p99 < MAX_P99_MS),
            Check("memory during the attack", f"at most +{most_grown:g} MB", f"{grown:+.0f} MB", grown <= most_grown),
            Check("memory after it", f"at most +{MAX_LEFT_MB:g} MB", f"{left:+.0f} MB", left <= MAX_LEFT_MB),
        ]

    def row(self) -> str:
        """The row of the table under ``HEADER``."""
        faults = {f"{name.partition(': ')[2]}": count for name, count in sorted(self.stats.good_faults.items())}
        faults |= {"dropped": self.stats.dropped} if self.stats.dropped else {}
        others = ", ".join(f"{count} {fault}" for fault, count in faults.items())
        figures = (self.stats.milliseconds(50), self.stats.milliseconds(99), self.before_mb, self.peak_mb, self.after_mb)
        failed = f"{self.failed:.1%} ({others})" if others else "none"
        cells = [self.name, str(self.requests), failed, *(f"{figure:.0f}" for figure in figures), YES_NO[self.passed]]
        return f"| {' | '.join(cells)} |"


HEADER: Final = (
    "| attack | ordinary requests | failed | p50, ms | p99, ms | memory before, MB | at most | 15 s after | passed |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
)


async def measure(server: Server, name: str, connections: int, seconds: float) -> AttackReport:
    """Attack a running service over so many connections for ``seconds``, and send ordinary requests meanwhile.

    Raises:
        RuntimeError: the attack did not start, or ended by itself.
    """
    if prepare := PREPARATIONS.get(name):
        await prepare(ConnectionPool(server.address, 1))
    await _send_ordinary(Stats(), server.address, WARM_UP_SECONDS)
    report = AttackReport(name, server.sample().private_mb)
    sampling = asyncio.create_task(_sample_memory(report, server))
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    attacker = context.Process(target=run_attack, args=(name, server.address, connections, started), daemon=True)
    attacker.start()
    if not await asyncio.to_thread(started.wait, START_SECONDS):
        raise RuntimeError(f"The attack {name} did not start within {START_SECONDS:g} s: nothing was measured.")
    await asyncio.sleep(LEAD_SECONDS)
    await _send_ordinary(report.stats, server.address, seconds)
    if not attacker.is_alive():
        raise RuntimeError(f"The attack {name} ended by itself with exit code {attacker.exitcode}: nothing was measured.")
    attacker.kill()
    attacker.join()
    await asyncio.sleep(AFTER_SECONDS)
    sampling.cancel()
    report.after_mb = server.sample().private_mb
    return report


async def _sample_memory(report: AttackReport, server: Server) -> None:
    while True:
        report.peak_mb = max(report.peak_mb, (await asyncio.to_thread(server.sample)).private_mb)
        await asyncio.sleep(SAMPLE_SECONDS)


async def _send_ordinary(stats: Stats, address: str, seconds: float) -> None:
    """Post a canvas ``RATE`` times a second, in an open loop."""
    pool = ConnectionPool(address, MAX_CONNECTIONS, TIMEOUT_SECONDS)
    content = encode_request(pool.host, "POST", "/classify", encode_form([load_images()["canvas"].data]), FORM_TYPE)
    requests = repeat(Request("canvas", content, labels=(f'"label":"{LABEL}"'.encode(),)))
    await asyncio.gather(*await open_loop(pool, requests, stats.add, RATE, seconds, from_due=True))
    pool.close()
