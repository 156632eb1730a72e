"""``python -m loadtests.benchmark``: measures everything (``run``), or one part; see ``--help``."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from loadtests.benchmark.chart import draw_chart
from loadtests.benchmark.devices import run_devices
from loadtests.benchmark.exactness import run_exactness
from loadtests.benchmark.noisy_neighbour import run_neighbours
from loadtests.benchmark.report import render_page
from loadtests.benchmark.results import Record, Results, describe_machine, read_results, write_results
from loadtests.benchmark.runner import log, run_endurance, run_rounds
from loadtests.benchmark.scenarios import SCENARIOS
from loadtests.benchmark.stages import run_stages
from loadtests.benchmark.wrk import WrkError, find_wrk
from loadtests.processes import ROOT, TOPOLOGIES, ServerError, import_models

RESULTS: Final = ROOT / "build" / "benchmark" / "results.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
CHART: Final = "images/benchmark.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 2 and prints one line if something is missing or failed."""
    options = _parser().parse_args(arguments)
    try:
        if options.part in ("run", "neighbours"):
            find_wrk()  # before anything else takes its time
        with tempfile.TemporaryDirectory() as folder:
            _run_part(options, Path(folder))
    except (ServerError, FileNotFoundError, WrkError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.benchmark", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    run = parts.add_parser("run", help="measure everything; write results.json, the page and the chart")
    run.add_argument("--endurance", type=_positive, default=60, help="seconds of each long run (60)")
    run.add_argument("--scenarios", nargs="+", choices=[one.name for one in SCENARIOS], help="only these")
    run.add_argument("--results", type=Path, default=RESULTS, help="where the raw figures go")
    exactness = parts.add_parser("exactness", help="compare responses under mixed load with responses alone")
    for command in (run, exactness):
        command.add_argument("--requests", type=_positive, default=10_000, help="mixed requests that are compared (10,000)")
    neighbours = parts.add_parser("neighbours", help="latency of one model beside load on another")
    for command in (run, neighbours):
        command.add_argument("--seconds", type=_positive, default=8, help="of each scenario in a round (8)")
        command.add_argument("--rounds", type=_positive, default=3, help="of all servers in turn (3)")
    parts.add_parser("devices", help="images/s by batch size on every device")
    parts.add_parser("stages", help="cost of each stage without HTTP")
    report = parts.add_parser("report", help="write the page and the chart from results.json")
    report.add_argument("results", type=Path, nargs="?", default=RESULTS)
    for command in (run, report):
        command.add_argument("--page", type=Path, default=PAGE, help="the page; the chart goes to images/ beside it")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def _run_part(options: argparse.Namespace, home: Path) -> None:
    if options.part in ("run", "exactness", "stages"):
        import_models(home)
    if options.part == "run":
        write_results(results := _run_all(options, home), options.results)
        _report(results, options.page)
    elif options.part == "report":
        _report(read_results(options.results), options.page)
    elif options.part == "neighbours":
        run_neighbours(options.rounds, options.seconds)
    else:
        parts: dict[str, Callable[[], Sequence[Record]]] = {
            "exactness": lambda: [run_exactness(name, options.requests, home) for name in TOPOLOGIES],
            "stages": lambda: run_stages(home),
            "devices": run_devices,
        }
        log("\n".join(record.model_dump_json() for record in parts[options.part]()))


def _run_all(options: argparse.Namespace, home: Path) -> Results:
    """Measure everything, in this order: without HTTP, the rounds, the long runs, exactness, noisy neighbours."""
    scenarios = [one for one in SCENARIOS if not options.scenarios or one.name in options.scenarios]
    log("stages and devices ...")
    stages, devices = run_stages(home), run_devices()
    figures, limits = run_rounds(scenarios, options.rounds, options.seconds, home)
    endurance = run_endurance(options.endurance, home)
    log("comparing responses ...")
    return Results(
        date=date.today().isoformat(),
        machine=describe_machine(),
        seconds=options.seconds,
        rounds=options.rounds,
        endurance_seconds=options.endurance,
        figures=figures,
        limits=limits,
        stages=stages,
        endurance=endurance,
        exactness=[run_exactness(name, options.requests, home) for name in TOPOLOGIES],
        devices=devices,
        neighbours=run_neighbours(options.rounds, options.seconds),
    )


def _report(results: Results, page: Path) -> None:
    """Write the page and its chart, and print the targets."""
    draw_chart(results, page.parent / CHART)
    text = render_page(results, CHART)
    page.write_text(text, encoding="utf-8")
    log(text.partition("## Targets")[2].partition("##")[0].strip())


if __name__ == "__main__":
    sys.exit(main())
