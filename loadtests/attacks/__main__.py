"""``python -m loadtests.attacks [NAME ...]``: attacks a service and measures the effect on ordinary requests and on memory."""

import argparse
import sys
from collections.abc import Sequence

import uvloop

from loadtests.attacks.attacks import ATTACKS
from loadtests.attacks.measurement import HEADS, measure
from loadtests.processes import TOPOLOGIES, start_service
from loadtests.report import table


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
            report = uvloop.run(measure(server, name, options.connections, options.seconds))
        sys.stdout.write(report.text() + "\n")
        sys.stdout.flush()
        passed &= report.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
