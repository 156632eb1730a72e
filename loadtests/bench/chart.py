"""The chart of the benchmark: requests/s and 99th percentiles, by scenario and contestant."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from loadtests.bench.contestants import CONTESTANTS
from loadtests.bench.results import Median, Results
from loadtests.bench.scenarios import SCENARIOS, Scenario

COLOURS: Final = {"fastapi": "#8c96a3", "bentoml": "#d9a441", "embedded": "#1f6fb2", "runner": "#3aa389"}
BAR: Final = 0.2
INK: Final = "#22303c"


def draw_chart(results: Results, path: Path) -> None:
    """Write the chart as a PNG."""
    medians = results.medians()
    compared = [one for one in SCENARIOS if len(one.contestants) > 1 and any((one.name, n) in medians for n in CONTESTANTS)]
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(10, 8.4), dpi=120, layout="constrained")
    _bars(upper, medians, compared, lambda median: median.rate, "{:,.0f}")
    _bars(lower, medians, compared, lambda median: median.p99_ms, "{:,.3g}")
    upper.set_title("Requests answered a second (more is better)", loc="left", color=INK, fontweight="bold")
    lower.set_title(
        "99th percentile of the latency in ms, logarithmic (less is better)", loc="left", color=INK, fontweight="bold"
    )
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


def _bars(
    axes: Axes, medians: dict[tuple[str, str], Median], scenarios: list[Scenario], value: Callable[[Median], float], form: str
) -> None:
    for place, (name, contestant) in enumerate(CONTESTANTS.items()):
        shown = [(x, medians[one.name, name]) for x, one in enumerate(scenarios) if (one.name, name) in medians]
        offset = (place - (len(CONTESTANTS) - 1) / 2) * BAR
        bars = axes.bar(
            [x + offset for x, _ in shown],
            [value(median) for _, median in shown],
            BAR * 0.92,
            label=contestant.title,
            color=COLOURS[name],
        )
        axes.bar_label(bars, [form.format(value(median)) for _, median in shown], padding=2, fontsize=9, color=INK)
    axes.set_xticks(range(len(scenarios)), [one.title.replace(", ", "\n") for one in scenarios])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.grid(axis="y", color="#e3e7eb")
    axes.set_axisbelow(True)
    axes.margins(y=0.1)
