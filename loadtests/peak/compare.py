"""Compares two load reports: peaks, latencies at the same rates, CPU time a request, and the settings that differ."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from loadtests.peak.charts import scenario_runs
from loadtests.peak.comparison_charts import comparison_charts
from loadtests.peak.curve import asked_rate
from loadtests.peak.noise import Curve, Estimate, cpu_estimate, peak_estimate, percentile, repeated
from loadtests.peak.page import render, shared_settings
from loadtests.peak.results import LoadReport, Run
from loadtests.report import table

PERCENTS: Final = (50.0, 90.0, 99.0)
# Rates are compared when they are so far apart at least.
DISTANCE: Final = 1.1
HEADS: Final = ("", "A", "B", "change", "beyond noise")
NOTE: Final = (
    "In brackets: between which bounds the figure lies but for noise, from repeated runs and, for percentiles, from how many "
    "requests there were. A figure that differs beyond noise is better or worse. ≈: between two rates that were measured."
)


class ReportError(Exception):
    """A file is no load report; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both reports, how it is written, and whether more of it is better; None where it was not measured."""

    name: str
    form: str
    a: Estimate | None
    b: Estimate | None
    more_is_better: bool = False

    @property
    def change(self) -> str:
        """By how much B is above A."""
        return f"{self.b.value / self.a.value - 1:+.0%}" if self.a and self.b else ""

    @property
    def judgement(self) -> str:
        """Whether B is better or worse than A beyond noise."""
        if self.a is None or self.b is None:
            return "not measured"
        if not self.a.differs(self.b):
            return "no"
        return "better" if (self.b.value > self.a.value) == self.more_is_better else "worse"

    def cells(self) -> list[str]:
        """The row of a table."""
        return [self.name, *(self._figure(one) for one in (self.a, self.b)), self.change, self.judgement]

    def _figure(self, estimate: Estimate | None) -> str:
        if estimate is None:
            return ""
        about = "≈ " if estimate.between else ""
        return (
            f"{about}{self.form.format(estimate.value)} ({self.form.format(estimate.low)} to {self.form.format(estimate.high)})"
        )


def compare(a: LoadReport, b: LoadReport) -> list[Row]:
    """All figures that both reports can have."""
    rows = []
    if a.peak is not None or b.peak is not None:
        rows.append(Row("peak, requests/s", "{:,.0f}", peak_estimate(a), peak_estimate(b), more_is_better=True))
        rows += _at_common_rates(a, b)
    for name in dict.fromkeys(run.result.scenario for run in scenario_runs(a)):
        rows += _of_scenario(name, _usable(a, name), _usable(b, name))
    rows.append(Row("CPU time of the service, ms a request", "{:.2f}", cpu_estimate(a), cpu_estimate(b)))
    return rows


def common_rates(a: Curve, b: Curve, limit: float) -> list[float]:
    """Rates up to ``limit`` that lie within what both have measured, those of either of them, not too close to each other."""
    low, high = max(a.rates[0], b.rates[0]), min(a.rates[-1], b.rates[-1], limit)
    found: list[float] = []
    for rate in sorted({*a.rates, *b.rates}):
        if low <= rate <= high and (not found or rate >= DISTANCE * found[-1]):
            found.append(rate)
    return found


def _at_common_rates(a: LoadReport, b: LoadReport) -> list[Row]:
    """Percentiles up to the lower peak: beyond it latencies depend on chance more than on the service."""
    first, second = Curve(a), Curve(b)
    if not first.rates or not second.rates:
        return []
    limit = min(one.value if (one := peak_estimate(report)) else float("inf") for report in (a, b))
    return [
        Row(f"p{percent:g} at {rate:,.0f}/s, ms", "{:,.1f}", first.percentile(percent, rate), second.percentile(percent, rate))
        for rate in common_rates(first, second, limit)
        for percent in PERCENTS
    ]


def _of_scenario(name: str, a: Sequence[Run], b: Sequence[Run]) -> list[Row]:
    rows = [Row(f"{name}: p{percent:g}, ms", "{:,.1f}", _latency(a, percent), _latency(b, percent)) for percent in PERCENTS]
    first, second = (repeated(runs, lambda run: run.result.goodput) for runs in (a, b))
    return [Row(f"{name}: correct in time, a second", "{:,.1f}", first, second, more_is_better=True), *rows]


def _latency(runs: Sequence[Run], percent: float) -> Estimate | None:
    """A percentile of runs that repeat each other; the runs differ from each other besides."""
    found, each = percentile(runs, percent), repeated(runs, lambda run: _value(run, percent))
    return (
        None if found is None or each is None else Estimate(found.value, min(found.low, each.low), max(found.high, each.high))
    )


def _value(run: Run, percent: float) -> float | None:
    found = percentile([run], percent)
    return None if found is None else found.value


def _usable(report: LoadReport, scenario: str) -> list[Run]:
    return [run for run in scenario_runs(report) if run.result.scenario == scenario and not run.result.void]


def differences(a: LoadReport, b: LoadReport) -> list[tuple[str, str, str]]:
    """Name and both values of every setting, version and property of the machine that differs."""
    first, second = _settings(a), _settings(b)
    names = dict.fromkeys([*first, *second])
    return [(name, first.get(name, ""), second.get(name, "")) for name in names if first.get(name, "") != second.get(name, "")]


def _settings(report: LoadReport) -> dict[str, str]:
    machine = report.machine.model_dump(exclude={"versions"})
    load = {name: value for name, value in shared_settings(report).items() if name not in ("rate", "duration")}
    scenario_rates = {f"{run.result.scenario}: rate": f"{asked_rate(run):g}" for run in scenario_runs(report)}
    groups = {
        "machine": machine,
        "version": report.machine.versions,
        "service": report.service_settings,
        "objective": report.objectives.model_dump(),
        "load": load | scenario_rates,
    }
    return {f"{group}: {name}": str(value) for group, values in groups.items() for name, value in values.items()}


def remarks(a: LoadReport, b: LoadReport) -> list[str]:
    """What a reader must know before comparing."""
    found = []
    for name, report in (("A", a), ("B", b)):
        if report.peak is not None and report.peak.noisy:
            found.append(f"{name} was taken on a machine that was too noisy: its runs contradict each other.")
        if report.peak is not None and report.peak.rate is None:
            found.append(f"{name} has no peak: no rate met its objectives.")
        if void := sum(run.result.void for run in report.runs):
            found.append(f"{void} of the {len(report.runs)} runs of {name} are void and left out.")
    if a.machine.model_dump(exclude={"versions"}) != b.machine.model_dump(exclude={"versions"}):
        found.append("The machines differ: what differs may be theirs.")
    return found


def markdown(a: LoadReport, b: LoadReport) -> str:
    """The comparison as Markdown."""
    parts = ["# Two load reports", "\n".join(f"- {name}: {_title(report)}" for name, report in (("A", a), ("B", b)))]
    parts += ["\n".join(f"- {remark}" for remark in remarks(a, b))] if remarks(a, b) else []
    marked = [
        [*row.cells()[:-1], f"**{row.judgement}**" if row.judgement in ("better", "worse") else row.judgement]
        for row in compare(a, b)
    ]
    parts += [table(HEADS, marked), NOTE, "## Settings that differ"]
    settings = [[text.replace("|", "\\|") for text in one] for one in differences(a, b)]
    parts.append(table(("", "A", "B"), settings) if settings else "None.")
    return "\n\n".join(parts) + "\n"


def html(a: LoadReport, b: LoadReport) -> str:
    """The comparison as an HTML page that needs nothing else."""
    return render(
        "compare.html.j2",
        titles={"A": _title(a), "B": _title(b)},
        remarks=remarks(a, b),
        heads=HEADS,
        rows=compare(a, b),
        note=NOTE,
        charts=comparison_charts(a, b),
        differences=differences(a, b),
    )


def _title(report: LoadReport) -> str:
    return f"{report.title}, {report.created_at}"


def read_report(path: Path) -> LoadReport:
    """Read a report.

    Raises:
        ReportError: the file cannot be read, or is no report.
    """
    try:
        return LoadReport.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}. Give the report.json of a load test.") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} is no report of a load test. Give the report.json that `make loadtest` wrote.") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two reports, as Markdown on the standard output."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.peak.compare", description=main.__doc__)
    parser.add_argument("a", type=Path, help="a report.json")
    parser.add_argument("b", type=Path, help="another, mostly the later one")
    parser.add_argument("--html", type=Path, help="write an HTML page with charts, too")
    options = parser.parse_args(arguments)
    try:
        a, b = read_report(options.a), read_report(options.b)
    except ReportError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(markdown(a, b))
    if options.html is not None:
        options.html.parent.mkdir(parents=True, exist_ok=True)
        options.html.write_text(html(a, b), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
