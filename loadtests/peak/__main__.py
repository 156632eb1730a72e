"""``python -m loadtests.peak``: finds out how many requests a second a service takes within its objectives, and reports it.

Without an address it starts the service itself. With ``--scenario`` it runs one scenario instead of the search. Ends with 0
when the objectives are met, with 1 when they are not, and with 2 when the runs say nothing or there are none.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import psutil

from loadtests.generator.options import OPTIONS
from loadtests.generator.results import VOID
from loadtests.machine import describe_machine
from loadtests.peak import page
from loadtests.peak.objectives import FILE, ObjectivesError, exit_code, read_objectives
from loadtests.peak.results import LoadReport, Objectives, Peak, Run
from loadtests.peak.runner import SCENARIOS, RunError, RunPlan, ScenarioRunner
from loadtests.peak.search import PeakSearch, run_until_known
from loadtests.peak.verdict import verdict
from loadtests.processes import ROOT, TOPOLOGIES, ServerError, start_service

NAMES: Final = sorted(path.stem.replace("_", "-") for path in SCENARIOS.glob("[!_]*.py"))
# Seconds of a confirmation; with this a search takes about five minutes.
DURATION: Final = 20.0
# Options that are handed to the generator as they are.
PASSED_ON: Final = ("models", "mix", "forms", "pictures", "warm-up", "users", "batch", "processes")


@dataclass(frozen=True, slots=True)
class Target:
    """The service under test: its address, its settings as far as they are known, and its first process, None if elsewhere."""

    address: str
    settings: dict[str, str]
    process: psutil.Process | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        release = read_objectives(options.objectives)
        if options.slo_ms is not None:
            release.objectives.slo_ms = options.slo_ms
        with _open_target(options) as target:
            report = _test(target, release.objectives, options)
    except (ObjectivesError, ServerError, RunError) as error:
        sys.stderr.write(f"{error}\n")
        return VOID
    written = page.write(report, options.output)
    cores = report.machine.cores if target.process is not None else 0
    required = release.required_rate(options.models, "" if options.pictures else options.mix, cores)
    _log(describe(report, required))
    summary = verdict(report)
    _log(f"{summary.first} {summary.second}\nThe report: {written}")
    return exit_code(report.runs, report.peak, required)


def describe_run(run: Run) -> str:
    """A run in one line."""
    result, outcomes, latency = run.result, run.result.outcomes, run.result.latency_ms
    rate = f"{result.rate:.1f}/s" if result.rate is not None else f"{result.throughput:.1f}/s closed"
    in_time = outcomes.in_time / max(1, outcomes.due)
    state = "void: " + "; ".join(result.generator.void) if result.void else "met" if run.met else "missed"
    return (
        f"{run.purpose:12}  {result.scenario:12}  {rate:>15}  {in_time:7.2%} in time  {outcomes.failed:6,} failed  "
        f"p50 {latency.p50:7.1f}  p99 {latency.p99:8.1f} ms  {state}"
    )


def describe(report: LoadReport, required_rate: float | None) -> str:
    """What was found, in a few lines."""
    wanted = f"{report.objectives.in_time_share:.2%} correct within {report.objectives.slo_ms:g} ms"
    wanted = f"{wanted}, at most {report.objectives.failed_share:.2%} failed"
    if report.peak is None:
        return f"{'Met' if report.runs[-1].met else 'Not met'}: {wanted}."
    peak, lines = report.peak, [f"Objectives: {wanted}."]
    if peak.rate is not None:
        state = f"confirmed, within {peak.spread:.1%}" if peak.confirmed else "not confirmed"
        lines.append(f"Peak: {peak.rate:,.1f} requests/s, {state}.")
    if required_rate is not None:
        lines.append(f"A release must reach {required_rate:,.0f} requests/s on this machine.")
    return "\n".join([*lines, *peak.remarks])


def _test(target: Target, objectives: Objectives, options: argparse.Namespace) -> LoadReport:
    """Run the search or the scenario, and make the report.

    Raises:
        RunError: a run has no result.
    """
    folder, created = options.output / "runs", datetime.now(timezone.utc)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    given = {name: getattr(options, name.replace("-", "_")) for name in PASSED_ON}
    passed_on = {name: str(value) for name, value in given.items() if value is not None}
    runner = ScenarioRunner(target.address, objectives, folder, options.seed, passed_on, target.process)

    def measure(plan: RunPlan) -> Run:
        run = runner.run(plan)
        _log(describe_run(run))
        return run

    peak: Peak | None = None
    if options.scenario:
        plan = RunPlan("scenario", options.scenario, options.duration, options.rate)
        runs = run_until_known(measure, plan, objectives)
    else:
        search = PeakSearch(measure, objectives, options.duration)
        peak, runs = search.find(), search.runs
    return LoadReport(
        created_at=created.isoformat(timespec="seconds"),
        title=f"{options.scenario or 'peak'}, {options.models}, {options.pictures or options.mix}",
        machine=describe_machine(),
        service_settings=target.settings,
        objectives=objectives,
        seconds=options.duration,
        runs=runs,
        peak=peak,
    )


@contextmanager
def _open_target(options: argparse.Namespace) -> Iterator[Target]:
    """The service at the address, or one that is started for the test, until the block ends."""
    if options.address:
        yield Target(options.address.rstrip("/"), {"address": options.address})
        return
    settings = {"WORKERS": str(options.workers)}
    _log(f"Starting the service ({options.topology}, {options.workers} workers).")
    with start_service(options.topology, **settings) as server:
        yield Target(server.address, {"TOPOLOGY": options.topology, **settings}, server.process)


def _parser() -> argparse.ArgumentParser:
    defaults = {name: default for name, _, default, _ in OPTIONS}
    parser = argparse.ArgumentParser(prog="python -m loadtests.peak", description=__doc__)
    parser.add_argument("--address", help="of a running service; its API key is read from API_KEY")
    parser.add_argument("--topology", choices=TOPOLOGIES, default=TOPOLOGIES[0], help="of the service that is started")
    parser.add_argument("--workers", type=int, default=2, help="of the service that is started")
    parser.add_argument("--scenario", choices=NAMES, help="run this scenario instead of the search")
    parser.add_argument("--rate", type=float, help="requests a second of the scenario")
    parser.add_argument("--users", type=int, help="of a scenario in a closed loop")
    parser.add_argument("--batch", type=int, help="images in a request of the scenario offline")
    parser.add_argument(
        "--duration", type=float, default=DURATION, help=f"seconds of a confirmation or scenario ({DURATION:g})"
    )
    parser.add_argument("--warm-up", type=float, help="seconds before each run")
    parser.add_argument("--slo-ms", type=float, help="ms within which a response is in time, in place of the objectives' own")
    parser.add_argument("--seed", type=int, default=1, help="of arrivals and requests")
    parser.add_argument("--models", default=defaults["models"], help="models with weights: digits:9,fashion:1")
    parser.add_argument("--mix", default=defaults["mix"], help="mixed, or pictures with weights: canvas:7,small:2,photo:1")
    parser.add_argument("--forms", help="forms of the body: body,form,json")
    parser.add_argument("--pictures", type=Path, help="a folder of your own pictures, in place of the mix")
    parser.add_argument("--processes", type=int, help="processes of the generator")
    parser.add_argument("--objectives", type=Path, default=FILE, help="what a release must meet")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "loadtest", help="folder of the report")
    return parser


def _log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
