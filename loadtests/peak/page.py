"""Writes a load report as one HTML page that needs nothing else, with its charts as PNG files and its figures as JSON."""

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loadtests.generator.results import Outcomes
from loadtests.peak.charts import charts, scenario_runs
from loadtests.peak.curve import cpu_ms, mean_of, peak_runs, service_cores, service_memory, share
from loadtests.peak.drawing import PALETTE
from loadtests.peak.results import LoadReport
from loadtests.peak.verdict import verdict

MAX_FAULTS: Final = 20
MAX_EXAMPLES: Final = 10
# Options of the generator with the variables of `make loadtest`.
VARIABLES: Final = {"models": "MODEL", "mix": "MIX", "duration": "DURATION", "seed": "SEED"}
# Settings of a service that `make loadtest` starts itself.
SERVICE_VARIABLES: Final = ("TOPOLOGY", "WORKERS")


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A figure that is shown large."""

    name: str
    value: str
    note: str = ""


def write(report: LoadReport, folder: Path) -> Path:
    """Write ``report.html``, ``report.json`` and the charts into a folder, and return the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = charts(report)
    for chart in drawn:
        chart.png(folder)
    (folder / "report.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    faults = Counter[str]()
    for run in report.runs:
        faults.update(run.result.faults)
    page = folder / "report.html"
    text = render(
        "page.html.j2",
        report=report,
        charts=drawn,
        summary=verdict(report),
        figures=key_figures(report),
        void_reasons=Counter(reason for run in report.runs for reason in run.result.generator.void),
        faults=dict(faults.most_common(MAX_FAULTS)),
        more_faults=max(0, len(faults) - MAX_FAULTS),
        examples=list(dict.fromkeys(example for run in report.runs for example in run.result.examples))[:MAX_EXAMPLES],
        machine=_machine(report),
        service=_service(report),
        load=_load(report),
        command=command(report),
    )
    page.write_text(text, encoding="utf-8")
    return page


def render(template: str, **values: Any) -> str:
    """Render a template of this folder; every text in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fmt"] = lambda value, form: "" if value is None else format(value, form)
    environment.filters["unbroken"] = lambda text: text.replace(" %", "\u00a0%").replace(" ms", "\u00a0ms")
    environment.filters["percent"] = _percent
    environment.filters["cores"] = service_cores
    return environment.get_template(template).render(palette=PALETTE, **values)


def key_figures(report: LoadReport) -> list[KeyFigure]:
    """The figures at the peak, or those of a single scenario."""
    runs = peak_runs(report) or [run for run in scenario_runs(report) if not run.result.void]
    if not runs:
        return []
    found = []
    if report.peak is not None and report.peak.rate is not None:
        count = sum(run.purpose == "confirmation" for run in runs)
        note = f"{count} confirmations differ by {report.peak.spread:.1%}" if count > 1 else "not confirmed"
        found.append(KeyFigure("peak", f"{report.peak.rate:,.0f}/s", note))
    else:
        found.append(KeyFigure("correct responses", f"{fmean(run.result.throughput for run in runs):,.1f}/s"))
    found.append(KeyFigure("in time", f"{fmean(share(run.result.outcomes.in_time, run.result.outcomes) for run in runs):.2%}"))
    means = {name: fmean(getattr(run.result.latency_ms, name) for run in runs) for name in ("p50", "p90", "p99")}
    found += [KeyFigure(f"latency {name}", f"{mean:,.1f} ms") for name, mean in means.items()]
    if (each := mean_of(runs, cpu_ms)) is not None:
        found.append(KeyFigure("CPU time a request", f"{each:.2f} ms", f"{mean_of(runs, service_cores):.2f} cores"))
    if (memory := mean_of(runs, service_memory)) is not None:
        found.append(KeyFigure("memory of the service", f"{memory:,.0f} MB"))
    return found


def command(report: LoadReport) -> str:
    """The command that makes such a report again."""
    if not report.runs:
        return "make loadtest"
    runs = peak_runs(report) or report.runs
    settings = {**runs[0].result.settings, "seed": report.runs[0].result.seed}
    if report.seconds is not None:
        settings["duration"] = f"{report.seconds:g}"
    service = report.service_settings
    variables: dict[str, str] = {name: service[name] for name in SERVICE_VARIABLES if name in service}
    variables["SLO_MS"] = f"{report.objectives.slo_ms:g}"
    if report.peak is None:
        variables["SCENARIO"] = report.runs[0].result.scenario
        if report.runs[0].result.rate is not None:
            variables["RATE"] = f"{report.runs[0].result.rate:g}"
    variables |= {variable: str(settings[name]).removesuffix(".0") for name, variable in VARIABLES.items() if name in settings}
    return " ".join(["make loadtest", *(f"{name}={shlex.quote(value)}" for name, value in variables.items())])


def _machine(report: LoadReport) -> dict[str, str]:
    machine = report.machine
    return {"CPU": machine.cpu, "cores": f"{machine.cores}", "memory": f"{machine.memory_gb:g} GB", "system": machine.system}


def _service(report: LoadReport) -> dict[str, str]:
    addresses = dict.fromkeys(run.result.address for run in report.runs)
    return {"address": ", ".join(addresses), **report.service_settings}


def _load(report: LoadReport) -> dict[str, str]:
    """Objectives, and the generator's settings that all runs share."""
    objectives = report.objectives
    found = {
        "in time": f"{objectives.in_time_share:.1%} within {objectives.slo_ms:g} ms",
        "failed": f"at most {objectives.failed_share:.2%}",
        "seeds": ", ".join(map(str, dict.fromkeys(run.result.seed for run in report.runs))),
    }
    return found | {name: value for name, value in shared_settings(report).items() if value}


def shared_settings(report: LoadReport) -> dict[str, str]:
    """The settings of the generator that all runs of a report share."""
    settings = [run.result.settings for run in report.runs]
    return {
        name: value
        for name, value in (settings[0] if settings else {}).items()
        if all(one.get(name) == value for one in settings)
    }


def _percent(count: int, outcomes: Outcomes) -> str:
    """A count as a share of the requests that were due; empty if it is none."""
    return f"{100 * share(count, outcomes):.2f} %" if count else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page of a report that was saved as JSON."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.peak.page", description=main.__doc__)
    parser.add_argument("report", type=Path, help="a report.json")
    parser.add_argument("folder", type=Path, nargs="?", help="where the page goes; by default beside the report")
    options = parser.parse_args(arguments)
    report = LoadReport.model_validate_json(options.report.read_text(encoding="utf-8"))
    sys.stdout.write(f"{write(report, options.folder or options.report.parent)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
