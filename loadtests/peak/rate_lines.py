"""Lines of measures over the rate of arrivals, with their names beside them and the peak marked."""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import Final

from matplotlib.axes import Axes

from loadtests.peak.curve import asked_rate
from loadtests.peak.drawing import LIGHT, Points, label_lines, plot
from loadtests.peak.results import LoadReport, Run

RATE: Final = "requests due a second"

Measure = Callable[[Run], float | None]


def are_measured(runs: Sequence[Run], *measures: Measure) -> list[bool]:
    """Whether each measure exists in a run that is not void."""
    return [any(not run.result.void and measure(run) is not None for run in runs) for measure in measures]


def points_of(runs: Iterable[Run], measure: Measure, void: bool = False) -> Points:
    """Rates with what is measured in each run, of those that are void or of the others."""
    found = ((asked_rate(run), measure(run)) for run in runs if run.result.void == void)
    return [(rate, value) for rate, value in found if value is not None]


def draw_lines(
    axes: Axes,
    runs: Sequence[Run],
    lines: Sequence[tuple[str, str, Measure]],
    scale: Callable[[Axes], None],
    report: LoadReport,
) -> None:
    """Lines of measures over the rate, with their names beside them and the peak marked."""
    ends = []
    for name, colour, measure in lines:
        points, hollow = points_of(runs, measure), points_of(runs, measure, void=True)
        plot(axes, points, LIGHT[colour], hollow)
        if drawn := [*points, *hollow]:
            last = max(rate for rate, _ in drawn)
            ends.append((fmean(value for rate, value in drawn if rate == last), name, LIGHT[colour]))
    highest = max(map(asked_rate, runs))
    axes.set_xlim(0, highest * 1.03)
    axes.xaxis.set_major_formatter("{x:,g}")
    scale(axes)
    if report.peak is not None and report.peak.rate is not None:
        axes.axvline(report.peak.rate, color=LIGHT["ink"], linestyle=":", linewidth=1.2, zorder=1)
        beyond = report.peak.rate > 0.75 * highest
        axes.annotate(
            f"peak {report.peak.rate:,.0f}/s",
            (report.peak.rate, 1),
            (-4 if beyond else 4, 3),
            ("data", "axes fraction"),
            "offset points",
            ha="right" if beyond else "left",
        )
    axes.set_xlabel(RATE)
    label_lines(axes, ends)
