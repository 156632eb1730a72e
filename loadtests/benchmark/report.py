"""Renders docs/benchmarks.md from a template, and draws its chart: CPU time, requests/s and 99th percentiles by server."""

import statistics
from pathlib import Path
from typing import Any, Final

import matplotlib
from jinja2 import Environment, StrictUndefined

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from loadtests.benchmark.results import Results
from loadtests.benchmark.scenarios import COMPARED, SCENARIOS, Scenario
from loadtests.benchmark.targets import evaluate
from loadtests.processes import SERVERS, ServerUnderTest
from loadtests.report import check_table

TEMPLATE: Final = Path(__file__).with_name("benchmarks.md.j2")
# Above this share of the CPU time for other programs, rates are no measurement.
MAX_FOREIGN_SHARE: Final = 0.03
COLOURS: Final = {
    "simplest": "#4d5966",
    "fastapi": "#a3adb8",
    "bentoml": "#d9a441",
    "litserve": "#8f6fb8",
    "ray": "#c4695c",
    "embedded": "#1f6fb2",
    "runner": "#3aa389",
}
GROUP: Final = 0.88  # the width of the bars of a scenario
# The panels of the chart: the title by the field of the medians.
PANELS: Final = {
    "cpu_ms": "CPU time of a request in ms (less is better)",
    "rate": "Requests answered a second (more is better)",
    "p99_ms": "99th percentile of the latency in ms (less is better)",
}
INK: Final = "#22303c"
TITLE: Final[dict[str, Any]] = {"loc": "left", "color": INK, "fontweight": "bold"}


def render_page(results: Results, chart: str) -> str:
    """Render the Markdown page; ``chart`` is the path of the chart relative to the page."""
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters["fmt"] = lambda value, spec: "" if value is None else format(value, spec)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        results=results,
        chart=chart,
        foreign=statistics.median(one.foreign_share for one in (*results.figures, *results.endurance)),
        max_foreign=MAX_FOREIGN_SHARE,
        targets=check_table(evaluate(results)),
        medians=results.medians(),
        scenarios=[one for one in SCENARIOS.values() if any(one.name == scenario for scenario, _ in results.medians())],
        servers=SERVERS,
        measured=measured_servers(results),
        neighbours={key: one for key, one in results.medians().items() if key[0].startswith("beside ")},
        device_rates={(one.batch, one.name): one.value for one in results.devices},
    )


def measured_servers(results: Results) -> dict[str, ServerUnderTest]:
    """The servers that were compared, by name."""
    names = {one.server for one in results.figures}
    return {name: server for name, server in SERVERS.items() if name in names}


def draw_chart(results: Results, path: Path) -> None:
    """Write the chart as a PNG: a panel each for CPU time, requests/s and 99th percentiles."""
    measured = {scenario for scenario, _ in results.medians()}
    scenarios = [one for one in COMPARED if one.name in measured]
    figure, panels = plt.subplots(len(PANELS), 1, figsize=(13, 12.6), dpi=120, layout="constrained")
    for axes, (field, title) in zip(panels, PANELS.items(), strict=True):
        _bars(axes, results, scenarios, field)
        axes.set_title(f"{title}, logarithmic", **TITLE)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.yaxis.set_minor_locator(NullLocator())
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def _bars(axes: Axes, results: Results, scenarios: list[Scenario], field: str) -> None:
    medians, servers = results.medians(), measured_servers(results)
    width = GROUP / max(1, len(servers))
    for place, (name, server) in enumerate(servers.items()):
        shown = [(x, medians[one.name, name][field]) for x, one in enumerate(scenarios) if (one.name, name) in medians]
        offset = (place - (len(servers) - 1) / 2) * width
        heights = [value for _, value in shown]
        bars = axes.bar([x + offset for x, _ in shown], heights, width * 0.92, label=server.title, color=COLOURS[name])
        axes.bar_label(bars, [_short(value) for value in heights], padding=2, fontsize=6.5, color=INK)
    axes.set_xticks(range(len(scenarios)), [one.title.replace(", ", "\n") for one in scenarios])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.grid(axis="y", color="#e3e7eb")
    axes.set_axisbelow(True)
    axes.margins(x=0.01, y=0.15)


def _short(value: float) -> str:
    """Format a figure with two digits or more, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
