"""How charts are drawn: one style, colours that follow the reader's theme, labels beside lines; SVG for a page, and PNG."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

Points = Sequence[tuple[float, float]]
# A colour, or a colour and its opacity.
Colour = str | tuple[str, float]

# Colours on a light and on a dark ground, told apart by colour-blind readers; text in the first eight has enough contrast.
PALETTE: Final = {
    "ink": ("#1f2a35", "#e8edf2"),
    "muted": ("#5a6875", "#a3b1be"),
    "blue": ("#1b69b0", "#6db3f2"),
    "orange": ("#a85a00", "#f0a04b"),
    "teal": ("#0f766b", "#45c4b0"),
    "purple": ("#85459b", "#cf9be0"),
    "red": ("#c2331f", "#ff8a75"),
    "grey": ("#6a737c", "#98a2ac"),
    "sky": ("#8cc4ec", "#2f5f8a"),
    "amber": ("#e3a83b", "#c98f1f"),
    "grid": ("#e4e8ec", "#2b3540"),
    "ground": ("#fefefe", "#141a20"),
}
LIGHT: Final = {name: light for name, (light, _) in PALETTE.items()}
INK, MUTED, GRID, GROUND = (LIGHT[name] for name in ("ink", "muted", "grid", "ground"))
# Inches; a phone shows the width at nearly its full size, so that its text can be read there.
WIDTH: Final = 5.2
HEIGHT: Final = 3.4
PNG_DPI: Final = 160
# Points: the height of a label, and what title and numbers take of the height of a figure.
LABEL_HEIGHT: Final = 12.5
AROUND_AXES: Final = 65
STYLE: Final[dict[Any, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": GROUND,
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 16,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.facecolor": GROUND,
    "font.size": 9.5,
    "grid.color": GRID,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "savefig.facecolor": GROUND,
    "svg.fonttype": "none",
    "svg.hashsalt": "load report",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.color": MUTED,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}
XLINK: Final = "http://www.w3.org/1999/xlink"
DECLARATIONS: Final = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with a name for its file, its title, and a sentence that says how to read it."""

    name: str
    title: str
    caption: str
    figure: Figure

    def png(self, folder: Path) -> Path:
        """Write the chart as a PNG in the light theme."""
        path = folder / f"{self.name}.png"
        with style():
            self.figure.savefig(path, dpi=PNG_DPI)
        return path

    def svg(self) -> str:
        """The chart as an SVG element for an HTML page whose variables ``--ink``, ``--blue``... are the colours."""
        buffer = io.StringIO()
        with style():
            self.figure.savefig(buffer, format="svg", metadata={"Date": None})
        text = DECLARATIONS.sub("", buffer.getvalue()).strip()
        for name, colour in LIGHT.items():
            text = text.replace(colour, f"var(--{name})")
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{self.name}-", text)
        return re.sub(
            r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 xmlns:xlink="{XLINK}" aria-hidden="true">', text, count=1
        )


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's settings for charts, until the block ends."""
    with matplotlib.rc_context(STYLE):
        yield


def new_figure(rows: int = 1, height: float = HEIGHT) -> tuple[Figure, list[Axes]]:
    """An empty figure with axes below each other that have one x axis."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)
    return figure, [one for (one,) in axes]


def plot(axes: Axes, points: Points, colour: str, hollow: Points = (), **more: Any) -> None:
    """A line through the means of points with the same x, a mark for every point, and hollow marks that the line leaves out."""
    groups: dict[float, list[float]] = {}
    for x, y in sorted(points):
        groups.setdefault(x, []).append(y)
    axes.plot(list(groups), [sum(group) / len(group) for group in groups.values()], color=colour, **more)
    axes.plot([x for x, _ in points], [y for _, y in points], "o", color=colour)
    axes.plot([x for x, _ in hollow], [y for _, y in hollow], "o", color=colour, markerfacecolor="none")


def label_lines(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write texts to the right of the axes at heights ``y``, in colours, moved apart where they would overlap.

    Of texts at one height the first is the highest. Call this when the limits of the axes are final.
    """
    places = []
    for _, (y, text, colour) in sorted(enumerate(labels), key=lambda one: (one[1][0], -one[0])):
        height = axes.transAxes.inverted().transform(axes.transData.transform((axes.get_xlim()[1], y)))[1]
        places.append((min(max(float(height), 0.0), 1.0), text, colour))
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    length = figure.get_figheight() * 72 / len(figure.axes) - AROUND_AXES
    heights = spread([height for height, _, _ in places], LABEL_HEIGHT / length)
    for height, (_, text, colour) in zip(heights, places, strict=True):
        axes.annotate(text, (1, height), (6, 0), "axes fraction", "offset points", color=colour, va="center")


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Move ascending heights apart so that each is at least ``gap`` above the one before, and the last at most 1."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    ceiling = 1.0
    for place in range(len(moved) - 1, -1, -1):
        moved[place] = min(moved[place], ceiling)
        ceiling = moved[place] - gap
    return moved


def logarithmic(axes: Axes) -> None:
    """A logarithmic y axis with plain numbers."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100 else (1,)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_locator(NullLocator())


def linear(axes: Axes) -> None:
    """A y axis from 0 with plain numbers."""
    axes.set_ylim(0, axes.get_ylim()[1] * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3))
    axes.yaxis.set_major_formatter("{x:,g}")


def stacked_rows(
    names: Sequence[str], parts: Mapping[str, Sequence[float]], colours: Sequence[Colour], hollow: Sequence[bool], unit: str
) -> tuple[Figure, Axes]:
    """Horizontal bars, one a row from the top, of parts beside each other; the rows of ``hollow`` are outlines only."""
    figure, (axes,) = new_figure(height=1.35 + 0.25 * len(names))
    left = [0.0] * len(names)
    for (part, values), colour in zip(parts.items(), colours, strict=True):
        bars = axes.barh(range(len(names)), values, 0.72, left, color=colour, edgecolor=GROUND, linewidth=0.6, label=part)
        for bar, is_hollow in zip(bars, hollow, strict=True):
            if is_hollow:
                bar.set(facecolor="none", edgecolor=colour, linewidth=1.2)
        left = [start + value for start, value in zip(left, values, strict=True)]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(unit)
    axes.margins(x=0, y=0.6 / max(1, len(names)) * 0.3)
    keys = [Patch(color=colour, label=part) for part, colour in zip(parts, colours, strict=True)]
    figure.legend(handles=keys, loc="outside lower left", ncols=4, handlelength=1, handleheight=1, columnspacing=1.2)
    return figure, axes
