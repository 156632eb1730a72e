"""``python -m loadtests.benchmark``: measures everything (``run``) or one part, or renders the results (``report``)."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Final

from pydantic import BaseModel

from loadtests.benchmark.exactness import run_exactness
from loadtests.benchmark.noisy_neighbour import run_neighbours
from loadtests.benchmark.offline import run_devices, run_stages
from loadtests.benchmark.report import draw_chart, render_page
from loadtests.benchmark.results import Results, read_results, write_results
from loadtests.benchmark.scenarios import SCENARIOS, log, run_endurance, run_limits, run_rounds
from loadtests.benchmark.wrk import WrkError, find_wrk
from loadtests.machine import PACKAGES, describe_machine
from loadtests.processes import ROOT, SERVERS, TOPOLOGIES, ServerError, import_models

FEW_ROUNDS: Final = 3  # of the limits and the noisy neighbours, at most
CHART: Final = "images/benchmark.png"
# What is measured, by the field of Results, in this order; from the options and the model store.
Part = Callable[[argparse.Namespace, Path], Sequence[BaseModel]]
PARTS: Final[dict[str, Part]] = {
    "stages": lambda _options, home: run_stages(home),
    "devices": lambda _options, _home: run_devices(),
    "figures": lambda options, home: run_rounds(options.scenarios, options.rounds, options.seconds, home),
    "limits": lambda options, _home: run_limits(min(options.rounds, FEW_ROUNDS), options.seconds),
    "endurance": lambda options, home: run_endurance(options.endurance, home),
    "exactness": lambda options, home: run_exactness(TOPOLOGIES, options.requests, home),
    "neighbours": lambda options, _home: run_neighbours(min(options.rounds, FEW_ROUNDS), options.seconds),
}
WITH_WRK: Final = ("run", "figures", "endurance", "neighbours")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 2 and prints one line if something is missing or failed."""
    options = _parser().parse_args(arguments)
    try:
        if options.part in WITH_WRK:
            find_wrk()  # before anything else takes its time
        if options.part == "report":
            _report(read_results(options.results), options.page)
            return 0
        started = monotonic()
        with tempfile.TemporaryDirectory() as folder:
            import_models(Path(folder))
            names = PARTS if options.part == "run" else [options.part]
            found = {name: PARTS[name](options, Path(folder)) for name in names}
        if options.part != "run":
            log("\n".join(record.model_dump_json() for record in found[options.part]))
            return 0
        settings = {"seconds": options.seconds, "rounds": options.rounds, "endurance_seconds": options.endurance}
        servers = [server.packages[0] for server in SERVERS.values() if server.packages and server.is_installed]
        run = {"date": date.today().isoformat(), "minutes": (monotonic() - started) / 60}
        results = Results(machine=describe_machine([*PACKAGES, *servers]), **run, **settings, **found)
        write_results(results, options.results)
        _report(results, options.page)
    except (ServerError, FileNotFoundError, WrkError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark", description=__doc__)
    parser.add_argument("part", choices=("run", "report", *PARTS), help="run writes the results, the page and the chart")
    parser.add_argument("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS), help="only these")
    for name, number, meaning in (
        ("seconds", 3, "of each scenario in a round"),
        ("rounds", 5, "of all servers in turn"),
        ("endurance", 60, "seconds of each long run"),
        ("requests", 10_000, "mixed requests that are compared with the same alone"),
    ):
        parser.add_argument(f"--{name}", type=_positive, default=number, help=f"{meaning} ({number})")
    results = ROOT / "build" / "benchmark" / "results.json"
    parser.add_argument("--results", type=Path, default=results, help="the raw figures, written by run and read by report")
    page = ROOT / "docs" / "benchmarks.md"
    parser.add_argument("--page", type=Path, default=page, help="the page; the chart goes to images/ beside it")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def _report(results: Results, page: Path) -> None:
    """Write the page and its chart, and print the targets."""
    draw_chart(results, page.parent / CHART)
    text = render_page(results, CHART)
    page.write_text(text, encoding="utf-8")
    log(text.partition("## Targets")[2].partition("##")[0].strip())


if __name__ == "__main__":
    sys.exit(main())
