"""``python -m loadtests.fuzz``: post odd and broken pictures to a service of its own, and fail unless it stands all of them."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from loadtests.bench.contestants import CONTESTANTS, import_models, serving
from loadtests.fuzz.attack import CONNECTIONS, Outcome, attack, shots
from loadtests.promises import Promise, failures
from loadtests.vitals import look

# Requests that are made before they are sent, so that making them does not slow the answers.
WAVE: Final = 2000
# A service that has answered this many has its buffers and caches: growth counts from here.
SETTLED: Final = 2000
MOST_P99_MS: Final = 100.0
MOST_GROWTH_MB: Final = 64.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run found; ``lost`` are processes of the service that ended under it, ``growth_mb`` is that of all together."""

    outcome: Outcome
    growth_mb: float
    lost: int

    @property
    def p99_ms(self) -> float:
        """Of the answers that refuse."""
        return _percentile(self.outcome.rejected_seconds, 99)

    @property
    def stands(self) -> bool:
        """Whether all is kept that was promised."""
        return all(promise.kept for promise in self.promises())

    def promises(self) -> list[Promise]:
        """What is promised, and what was measured."""
        outcome = self.outcome
        failed = failures(outcome.statuses)
        return [
            Promise("5xx but a deliberate 503", "0", f"{failed}", not failed),
            Promise("answers not as the table of the API has them", "0", f"{len(outcome.faults)}", not outcome.faults),
            Promise("good pictures read wrongly", "0", f"{outcome.wrong}", not outcome.wrong),
            Promise("processes lost", "0", f"{self.lost}", not self.lost),
            Promise(
                "refused, the 99th percentile", f"under {MOST_P99_MS:g} ms", f"{self.p99_ms:.1f} ms", self.p99_ms < MOST_P99_MS
            ),
            Promise(
                f"memory after the first {SETTLED:,} requests",
                f"grows by less than {MOST_GROWTH_MB:g} MB",
                f"{self.growth_mb:+.1f} MB",
                self.growth_mb < MOST_GROWTH_MB,
            ),
        ]

    def lines(self) -> list[str]:
        """The figures in words."""
        outcome = self.outcome
        answers = ", ".join(f"{count:,} x {status}" for status, count in sorted(outcome.statuses.items()))
        rejected, answered = outcome.rejected_seconds, outcome.answered_seconds
        return [
            f"{outcome.statuses.total():,} requests: {answers}",
            f"refused: p50 {_percentile(rejected, 50):.1f}, p99 {self.p99_ms:.1f}, longest {_percentile(rejected, 100):.0f} ms",
            f"answered: p50 {_percentile(answered, 50):.1f}, p99 {_percentile(answered, 99):.1f} ms",
            *(f"{'kept' if p.kept else 'NOT KEPT'}: {p.what}: {p.measured} ({p.wanted})" for p in self.promises()),
            *(f"fault: {shot.path} {shot.query} {shot.content_type!r}: {what}" for shot, what in outcome.faults[:20]),
        ]


def run(contestant: str, requests: int, seed: int, home: Path, connections: int = CONNECTIONS) -> Verdict:
    """Start a service, post ``requests`` to it and look at its processes."""
    outcome, stream = Outcome(), shots(requests, seed)
    import_models(home)
    with serving(CONTESTANTS[contestant], home) as server:
        family = set(server.megabytes())
        settled = look(server.process).private_mb
        while wave := list(islice(stream, WAVE)):
            asyncio.run(attack(server.address, wave, outcome, connections))
            if outcome.statuses.total() <= SETTLED:
                settled = look(server.process).private_mb
        now = look(server.process)
        return Verdict(outcome, now.private_mb - settled, len(family - now.processes))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 when the service did not stand it. What made a fault is kept in a folder."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="requests at a time")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same requests")
    parser.add_argument("--contestant", choices=("embedded", "runner"), default="embedded", help="the topology")
    parser.add_argument(
        "--faults", type=Path, default=Path("build/fuzz"), metavar="DIR", help="where bodies of faults are kept"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        verdict = run(options.contestant, options.requests, options.seed, Path(folder), options.connections)
    sys.stdout.write("\n".join(verdict.lines()) + "\n")
    for number, (shot, _) in enumerate(verdict.outcome.faults):
        options.faults.mkdir(parents=True, exist_ok=True)
        (options.faults / f"{number}.bin").write_bytes(shot.content)
    return 0 if verdict.stands else 1


def _percentile(seconds: list[float], share: int) -> float:
    return float(np.percentile(seconds, share)) * 1000 if seconds else 0.0


if __name__ == "__main__":
    sys.exit(main())
