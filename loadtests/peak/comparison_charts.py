"""The charts of two reports side by side."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from loadtests.peak.charts import LOWEST_MS
from loadtests.peak.curve import by_rate, rate_runs
from loadtests.peak.drawing import LIGHT, Chart, linear, logarithmic, new_figure, plot, style
from loadtests.peak.rate_lines import RATE, Measure, points_of
from loadtests.peak.results import LoadReport, Run


def comparison_charts(a: LoadReport, b: LoadReport) -> list[Chart]:
    """The 99th percentiles and the goodput of two reports against the rate; none if one has no rates."""
    groups = [(name, colour, rate_runs(report)) for name, colour, report in (("A", "muted", a), ("B", "blue", b))]
    if not all(by_rate(run for run in runs if run.result.latency_ms.count) for _, _, runs in groups):
        return []

    def p99(run: Run) -> float | None:
        return max(LOWEST_MS, run.result.latency_ms.p99) if run.result.latency_ms.count else None

    with style():
        latency = _comparison(groups, "compared-latency", "99th percentile of the latency (ms, logarithmic)", p99, logarithmic)
        title = "Correct responses in time, a second"
        return [latency, _comparison(groups, "compared-goodput", title, lambda run: run.result.goodput, linear)]


def _comparison(
    groups: Sequence[tuple[str, str, Sequence[Run]]], name: str, title: str, measure: Measure, scale: Callable[[Axes], None]
) -> Chart:
    figure, (axes,) = new_figure()
    for label, colour, runs in groups:
        points = points_of(runs, measure)
        plot(axes, points, LIGHT[colour])
        axes.annotate(label, points[-1], (8, 0), "data", "offset points", color=LIGHT[colour], va="center")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:,g}")
    scale(axes)
    axes.set_xlabel(RATE)
    axes.set_title(title)
    return Chart(name, title, "Void runs are left out.", figure)
