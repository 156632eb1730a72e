"""Draws the chart of the benchmark: requests/s and 99th percentiles, by scenario and server."""

from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from loadtests.benchmark.results import Results
from loadtests.benchmark.scenarios import SCENARIOS, Scenario
from loadtests.processes import SERVERS

COLOURS: Final = {"fastapi": "#8c96a3", "bentoml": "#d9a441", "embedded": "#1f6fb2", "runner": "#3aa389"}
BAR: Final = 0.2
INK: Final = "#22303c"


def draw_chart(results: Results, path: Path) -> None:
    """Write the chart as a PNG."""
    measured = {scenario for scenario, _ in results.medians()}
    compared = [one for one in SCENARIOS if len(one.servers) > 1 and one.name in measured]
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(10, 8.4), dpi=120, layout="constrained")
    _bars(upper, results, compared, "rate", "{:,.0f}")
    _bars(lower, results, compared, "p99_ms", "{:,.3g}")
    for axes, title in (
        (upper, "Requests answered a second (more is better)"),
        (lower, "99th percentile of the latency in ms, logarithmic (less is better)"),
    ):
        axes.set_title(title, loc="left", color=INK, fontweight="bold")
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
