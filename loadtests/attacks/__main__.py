"""``python -m loadtests.attacks [NAME ...]``: attacks a service of its own and measures what ordinary requests notice of it."""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from loadtests.attacks.attackers import ATTACKS, Service, attack
from loadtests.attacks.measurement import HEADER, Report, ask_ordinary, watch_memory
from loadtests.bench.contestants import CONTESTANTS, Server, import_models, serving
from loadtests.vitals import look

WARM_UP_SECONDS: Final = 2.0
START_SECONDS: Final = 60.0
# From the beginning of the attack until ordinary requests are measured.
LEAD_SECONDS: Final = 1.0
AFTER_SECONDS: Final = 15.0


async def measure(server: Server, name: str, connections: int, seconds: float) -> Report:
    """Attack a running service over so many connections for ``seconds``, with ordinary requests beside."""

    def memory_mb() -> float:
        return look(server.process).private_mb

    prepare = ATTACKS[name].prepare
    if prepare is not None:
        await prepare(Service(server.address))
    await ask_ordinary(Report(name, 0.0), server.address, WARM_UP_SECONDS)
    report = Report(name, memory_mb())
    watching = asyncio.create_task(watch_memory(report, memory_mb))
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    attacker = context.Process(target=attack, args=(name, server.address, connections, begun), daemon=True)
    attacker.start()
    if not await asyncio.to_thread(begun.wait, START_SECONDS):
        raise RuntimeError(f"The attack {name} did not begin within {START_SECONDS:g} s: nothing was measured.")
    await asyncio.sleep(LEAD_SECONDS)
    await ask_ordinary(report, server.address, seconds)
    if not attacker.is_alive():
        raise RuntimeError(f"The attack {name} ended by itself with exit code {attacker.exitcode}: nothing was measured.")
    attacker.kill()
    attacker.join()
    await asyncio.sleep(AFTER_SECONDS)
    watching.cancel()
    report.after_mb = memory_mb()
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 when ordinary requests or memory suffered more than is promised."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ATTACKS)}; all of them when none is named")
    parser.add_argument("--connections", type=int, default=6, help="attacking connections")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each attack is measured")
    parser.add_argument("--contestant", choices=("embedded", "runner"), default="embedded", help="the topology")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(ATTACKS):
        parser.error(f"there is no attack {', '.join(sorted(unknown))}; choose from {', '.join(ATTACKS)}")
    sys.stdout.write(HEADER + "\n")
    passed = True
    for name in options.names or ATTACKS:
        with tempfile.TemporaryDirectory() as folder:
            import_models(Path(folder))
            with serving(CONTESTANTS[options.contestant], Path(folder)) as server:
                report = uvloop.run(measure(server, name, options.connections, options.seconds))
        sys.stdout.write(report.line() + "\n")
        sys.stdout.flush()
        passed = passed and report.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
