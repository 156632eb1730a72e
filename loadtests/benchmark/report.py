"""Renders docs/benchmarks.md from a template, and draws its chart: requests/s and 99th percentiles, by scenario and server."""

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
from loadtests.benchmark.scenarios import SCENARIOS, Scenario
from loadtests.benchmark.targets import evaluate
from loadtests.processes import SERVERS
from loadtests.report import check_table

TEMPLATE: Final = Path(__file__).with_name("benchmarks.md.j2")
# Above this share of the CPU time for other programs, rates are no measurement.
MAX_FOREIGN_SHARE: Final = 0.03
COLOURS: Final = {"fastapi": "#8c96a3", "bentoml": "#d9a441", "embedded": "#1f6fb2", "runner": "#3aa389"}
BAR: Final = 0.2
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
        neighbours={key: one for key, one in results.medians().items() if key[0].startswith("beside ")},
        device_rates={(one.batch, one.name): one.value for one in results.devices},
    )


def draw_chart(results: Results, path: Path) -> None:
    """Write the chart as a PNG."""
    measured = {scenario for scenario, _ in results.medians()}
    compared = [one for one in SCENARIOS.values() if len(one.servers) > 1 and one.name in measured]
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(10, 8.4), dpi=120, layout="constrained")
    _bars(upper, results, compared, "rate", "{:,.0f}")
    _bars(lower, results, compared, "p99_ms", "{:,.3g}")
    upper.set_title("Requests answered a second (more is better)", **TITLE)
    lower.set_title("99th percentile of the latency in ms, logarithmic (less is better)", **TITLE)
    upper.yaxis.set_major_formatter("{x:,.0f}")
    lower.set_yscale("log")
    lower.yaxis.set_major_formatter("{x:,g}")
    lower.yaxis.set_minor_locator(NullLocator())
    lower.margins(y=0.15)
    handles, names = upper.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def _bars(axes: Axes, results: Results, scenarios: list[Scenario], field: str, form: str) -> None:
    medians = results.medians()
    for place, (name, server) in enumerate(SERVERS.items()):
        shown = [(x, medians[one.name, name][field]) for x, one in enumerate(scenarios) if (one.name, name) in medians]
        offset = (place - (len(SERVERS) - 1) / 2) * BAR
        heights = [value for _, value in shown]
        bars = axes.bar([x + offset for x, _ in shown], heights, BAR * 0.92, label=server.title, color=COLOURS[name])
        axes.bar_label(bars, [form.format(value) for value in heights], padding=2, fontsize=9, color=INK)
    axes.set_xticks(range(len(scenarios)), [one.title.replace(", ", "\n") for one in scenarios])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.grid(axis="y", color="#e3e7eb")
    axes.set_axisbelow(True)
    axes.margins(y=0.1)
