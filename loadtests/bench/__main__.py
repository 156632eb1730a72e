"""``python -m loadtests.bench``: measure everything (``run``), or one part; see ``--help``."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from loadtests.bench.chart import draw_chart
from loadtests.bench.contestants import ROOT, ContestantError, import_models
from loadtests.bench.devices import run_devices
from loadtests.bench.exactness import run_exactness
from loadtests.bench.machine import machine
from loadtests.bench.neighbours import run_neighbours
from loadtests.bench.report import markdown, write_results
from loadtests.bench.results import Results, read_results
from loadtests.bench.rounds import run_endurance, run_rounds, say
from loadtests.bench.scenarios import SCENARIOS
from loadtests.bench.stages import run_stages
from loadtests.bench.targets import judge
from loadtests.bench.wrk import WrkError, find_wrk

RESULTS: Final = ROOT / "build" / "bench" / "results.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
CHART: Final = "images/benchmark.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; 2 and one line where that cannot be."""
    options = parser().parse_args(arguments)
    try:
        if options.part == "report":
            report(read_results(options.results), options.page)
        else:
            measure(options)
    except (ContestantError, FileNotFoundError, WrkError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    run = parts.add_parser("run", help="measure everything; write results.json, the page and the chart")
    run.add_argument("--endurance", type=positive, default=60, help="seconds of each long run (60)")
    run.add_argument("--requests", type=positive, default=10_000, help="mixed requests that are compared (10,000)")
    run.add_argument("--scenarios", nargs="+", choices=[one.name for one in SCENARIOS], help="only these")
    run.add_argument("--results", type=Path, default=RESULTS, help="where the raw figures go")
    exactness = parts.add_parser("exactness", help="compare answers under mixed load with answers alone")
    exactness.add_argument("--requests", type=positive, default=10_000, help="mixed requests that are compared (10,000)")
    neighbours = parts.add_parser("neighbours", help="one model beside load on another")
    for command in (run, neighbours):
        command.add_argument("--seconds", type=positive, default=8, help="of each scenario in a round (8)")
        command.add_argument("--rounds", type=positive, default=3, help="of all contestants in turn (3)")
    parts.add_parser("devices", help="images/s against batch size on every device")
    parts.add_parser("stages", help="what each stage costs without HTTP")
    report = parts.add_parser("report", help="write the page and the chart from results.json")
    report.add_argument("results", type=Path, nargs="?", default=RESULTS)
    for command in (run, report):
        command.add_argument("--page", type=Path, default=PAGE, help="the page; the chart goes to images/ beside it")
    return parser


def positive(text: str) -> int:
    """An argument that is a whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def measure(options: argparse.Namespace) -> None:
    """One of the parts that measure."""
    if options.part in ("run", "neighbours"):
        find_wrk()  # before anything else takes its time
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if options.part not in ("devices", "neighbours"):
            import_models(home)
        if options.part == "run":
            results = run_all(options, home)
            write_results(results, options.results)
            report(results, options.page)
        elif options.part == "exactness":
            for name in ("embedded", "runner"):
                say(run_exactness(name, options.requests, home).model_dump_json())
        elif options.part == "neighbours":
            run_neighbours(options.rounds, options.seconds)
        elif options.part == "stages":
            for stage in run_stages(home):
                say(f"{stage.name:50} {stage.value:10.3g} {stage.unit}")
        else:
            for cell in run_devices():
                say(f"{cell.model:8} {cell.device:4} batch {cell.batch:5} {cell.images_per_second:12,.0f} images/s")


def run_all(options: argparse.Namespace, home: Path) -> Results:
    """Everything, in this order: without HTTP, the rounds, the long runs, the comparison of answers."""
    scenarios = [one for one in SCENARIOS if not options.scenarios or one.name in options.scenarios]
    say("stages and devices ...")
    stages, devices = run_stages(home), run_devices()
    figures, limits = run_rounds(scenarios, options.rounds, options.seconds, home)
    endurance = run_endurance(options.endurance, home)
    say("comparing answers ...")
    return Results(
        date=date.today().isoformat(),
        machine=machine(),
        seconds=options.seconds,
        rounds=options.rounds,
        endurance_seconds=options.endurance,
        figures=figures,
        limits=limits,
        stages=stages,
        endurance=endurance,
        exactness=[run_exactness(name, options.requests, home) for name in ("embedded", "runner")],
        devices=devices,
        neighbours=run_neighbours(options.rounds, options.seconds),
    )


def report(results: Results, page: Path) -> None:
    """Write the page and its chart, and print the verdicts."""
    draw_chart(results, page.parent / CHART)
    page.write_text(markdown(results, CHART), encoding="utf-8")
    for verdict in judge(results):
        words = {True: "reached", False: "NOT REACHED", None: "not measured"}[verdict.reached]
        measured = "" if verdict.measured is None else f"{verdict.measured:.3g}"
        say(f"{verdict.target:65} {verdict.wanted:20} {measured:>9}  {words}")


if __name__ == "__main__":
    sys.exit(main())
