"""``python -m loadtests.attacks [NAME ...]``: attacks a service and measures the effect on ordinary requests and on memory."""

import argparse
import asyncio
import multiprocessing
import sys
from collections.abc import Sequence
from typing import Final

import uvloop

from loadtests.attacks.attacks import ATTACKS, Target, run_attack
from loadtests.attacks.measurement import HEADER, AttackReport, sample_memory, send_ordinary
from loadtests.load import Stats
from loadtests.processes import TOPOLOGIES, Server, start_service

WARM_UP_SECONDS: Final = 2.0
START_SECONDS: Final = 60.0
# From the start of the attack until ordinary requests are measured.
LEAD_SECONDS: Final = 1.0
AFTER_SECONDS: Final = 15.0


async def measure(server: Server, name: str, connections: int, seconds: float) -> AttackReport:
    """Attack a running service over so many connections for ``seconds``, and send ordinary requests meanwhile.

    Raises:
        RuntimeError: the attack did not start, or ended by itself.
    """
    if prepare := ATTACKS[name].prepare:
        await prepare(Target(server.address))
    await send_ordinary(Stats(), server.address, WARM_UP_SECONDS)
    report = AttackReport(name, server.sample().private_mb)
    sampling = asyncio.create_task(sample_memory(report, server))
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    attacker = context.Process(target=run_attack, args=(name, server.address, connections, started), daemon=True)
    attacker.start()
    if not await asyncio.to_thread(started.wait, START_SECONDS):
        raise RuntimeError(f"The attack {name} did not start within {START_SECONDS:g} s: nothing was measured.")
    await asyncio.sleep(LEAD_SECONDS)
    await send_ordinary(report.stats, server.address, seconds)
    if not attacker.is_alive():
        raise RuntimeError(f"The attack {name} ended by itself with exit code {attacker.exitcode}: nothing was measured.")
    attacker.kill()
    attacker.join()
    await asyncio.sleep(AFTER_SECONDS)
    sampling.cancel()
    report.after_mb = server.sample().private_mb
    return report


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
    sys.stdout.write(HEADER + "\n")
    passed = True
    for name in options.names or ATTACKS:
        with start_service(options.topology) as server:
            report = uvloop.run(measure(server, name, options.connections, options.seconds))
        sys.stdout.write(report.row() + "\n")
        sys.stdout.flush()
        passed = passed and report.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
