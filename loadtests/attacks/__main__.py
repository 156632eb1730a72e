"""``python -m loadtests.attacks [NAME ...]``: attacks a service; measures ordinary requests meanwhile, and memory."""

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

import gevent

from loadtests.attacks.attacks import ATTACKS, PREPARATIONS, run_attack
from loadtests.generator.arrivals import constant, poisson
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import open_loop
from loadtests.generator.outcomes import Outcome
from loadtests.generator.recorder import Recorder, milliseconds
from loadtests.images import load_images
from loadtests.processes import TOPOLOGIES, Server, start_service
from loadtests.report import YES_NO, Bound, Check, Report, table, table_row
from loadtests.requests import form_request

RATE: Final = 40.0
SEED: Final = 1
MAX_CONNECTIONS: Final = 512
TIMEOUT_SECONDS: Final = 10.0
SAMPLE_SECONDS: Final = 0.2
WARM_UP_SECONDS: Final = 2.0
START_SECONDS: Final = 60.0
# From the start of the attack until ordinary requests are measured.
LEAD_SECONDS: Final = 1.0
AFTER_SECONDS: Final = 15.0
BODY_BUDGET_MB: Final = 256.0
# Besides the bodies: images being decoded, responses, and what the allocator keeps.
OTHER_MB: Final = 128.0
MEMORY_HEADS: Final = ("memory before, MB", "at most", f"{AFTER_SECONDS:g} s after")
HEADS: Final = ("attack", "ordinary requests", "failed", "p50, ms", "p99, ms", *MEMORY_HEADS, "passed")


@dataclass(slots=True)
class AttackReport(Report):
    """Responses to ordinary requests, with latencies from when each was due, and the private memory of the service in MB:
    before the attack, at most during it, and a while after it."""

    name: str
    before_mb: float
    recorder: Recorder = field(default_factory=Recorder)
    peak_mb: float = 0.0
    after_mb: float = 0.0

    def checks(self) -> list[Check]:
        """What an attack may do to ordinary requests and to memory; those without a connection count as failed."""
        total = self.recorder.total
        failed = (total.faulty + total.count(Outcome.DROPPED)) / max(1, total.due)
        growth = Bound(BODY_BUDGET_MB + OTHER_MB, "{:+.0f} MB")
        return [
            Check("ordinary requests", Bound(1, "{:,}", at_least=True), total.due),
            Check("failed", Bound(0.02, "{:.1%}"), failed),
            Check("p99", Bound(500, "{:.0f} ms"), milliseconds(self.recorder.answered, 99)[0]),
            Check("memory during the attack", growth, self.peak_mb - self.before_mb),
            Check("memory after it", Bound(96, "{:+.0f} MB"), self.after_mb - self.before_mb),
        ]

    def text(self) -> str:
        """The row of the table under ``HEADS``."""
        requests, failed, *_ = (check.cells()[2] for check in self.checks())
        faults = sorted(self.recorder.faults.items())
        others = ", ".join(f"{count} {name.partition(': ')[2]}" for name, count in faults)
        figures = (*milliseconds(self.recorder.answered, 50, 99), self.before_mb, self.peak_mb, self.after_mb)
        failures = f"{failed} ({others})" if others else "none"
        return table_row([self.name, requests, failures, *(f"{figure:.0f}" for figure in figures), YES_NO[self.passed]])


def measure(server: Server, name: str, connections: int, seconds: float) -> AttackReport:
    """Attack a running service over so many connections for ``seconds``, and send ordinary requests meanwhile.

    Raises:
        RuntimeError: the attack did not start, or ended by itself.
    """
    if prepare := PREPARATIONS.get(name):
        prepare(ServiceClient(server.address, 1))
    _send_ordinary(Recorder(), server.address, WARM_UP_SECONDS)
    report = AttackReport(name, server.sample().private_mb)
    sampling = gevent.spawn(_sample_memory, report, server)
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    attacker = context.Process(target=run_attack, args=(name, server.address, connections, started), daemon=True)
    attacker.start()
    if not gevent.get_hub().threadpool.apply(started.wait, (START_SECONDS,)):
        raise RuntimeError(f"The attack {name} did not start within {START_SECONDS:g} s: nothing was measured.")
    gevent.sleep(LEAD_SECONDS)
    _send_ordinary(report.recorder, server.address, seconds)
    if not attacker.is_alive():
        raise RuntimeError(f"The attack {name} ended by itself with exit code {attacker.exitcode}: nothing was measured.")
    attacker.kill()
    attacker.join()
    gevent.sleep(AFTER_SECONDS)
    sampling.kill()
    report.after_mb = server.sample().private_mb
    return report


def _sample_memory(report: AttackReport, server: Server) -> None:
    while True:
        report.peak_mb = max(report.peak_mb, gevent.get_hub().threadpool.apply(server.sample).private_mb)
        gevent.sleep(SAMPLE_SECONDS)


def _send_ordinary(recorder: Recorder, address: str, seconds: float) -> None:
    """Post a canvas ``RATE`` times a second, in an open loop."""
    client, canvas = ServiceClient(address, MAX_CONNECTIONS, TIMEOUT_SECONDS), load_images()["canvas"]
    requests = repeat(form_request("canvas", [canvas.data], labels=(canvas.expected,)))
    arrivals = poisson(constant(RATE), RATE, seconds, SEED)
    open_loop(client, arrivals, requests, recorder.add, MAX_CONNECTIONS).join()
    client.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ATTACKS)}; default: all")
    parser.add_argument("--connections", type=int, default=6, help="attacking connections")
    parser.add_argument("--seconds", type=float, default=20.0, help="duration of the measurement of each attack")
    parser.add_argument("--topology", choices=TOPOLOGIES, default="embedded")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(ATTACKS):
        parser.error(f"Unknown attack {', '.join(sorted(unknown))}. Choose from {', '.join(ATTACKS)}.")
    sys.stdout.write(table(HEADS, []) + "\n")
    passed = True
    for name in options.names or ATTACKS:
        with start_service(options.topology) as server:
            report = measure(server, name, options.connections, options.seconds)
        sys.stdout.write(report.text() + "\n")
        sys.stdout.flush()
        passed &= report.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
