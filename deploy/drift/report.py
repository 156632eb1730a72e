"""Reports comparisons: a table in text, and a plot of observed and reference shares."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from models.stability import MIN_OBSERVED, Comparison

REFERENCE_COLOUR: Final = "#9aa5af"
STABLE_COLOUR: Final = "#1b69b0"
DRIFTED_COLOUR: Final = "#c2331f"
PNG_DPI: Final = 130


def format_table(comparisons: Sequence[Comparison]) -> str:
    """A table for each model, a line for each quantity: its PSI, limit, verdict, and the bins that moved most."""
    lines = []
    for model, group in groupby(comparisons, key=lambda one: one.model):
        found = list(group)
        lines += [f"{model}: {found[0].n:,} images observed, {round(float(found[0].reference.sum())):,} in the reference"]
        lines += [f"  {'quantity':<11} {'PSI':>7} {'limit':>7}  {'verdict':<8}  moved most: reference -> observed"]
        for one in found:
            if one.n < MIN_OBSERVED:
                lines.append(f"  {one.quantity:<11} {'-':>7} {'-':>7}  {verdict(one)}")
                continue
            moved = ", ".join(f"{name}: {old:.1%} -> {new:.1%}" for name, old, new in one.most_moved)
            lines.append(f"  {one.quantity:<11} {one.psi:7.3f} {one.limit:7.3f}  {verdict(one):<8}  {moved}")
    return "\n".join(lines) + "\n"


def verdict(comparison: Comparison) -> str:
    """One word: ``stable``, ``DRIFT``, or ``too few``."""
    if comparison.n < MIN_OBSERVED:
        return "too few"
    return "DRIFT" if comparison.drifted else "stable"


def plot(comparisons: Sequence[Comparison], path: Path) -> None:
    """Plot the shares of the reference beside the observed ones, a row for each model."""
    import matplotlib as mpl  # here, since only the plot needs it
    from matplotlib.figure import Figure

    mpl.use("Agg")
    rows = [list(group) for _, group in groupby(comparisons, key=lambda one: one.model)]
    columns = max(map(len, rows))
    figure = Figure(figsize=(3.9 * columns, 3.3 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes_row, row in zip(grid, rows, strict=True):
        for axes in axes_row[len(row) :]:
            axes.set_axis_off()
        for axes, one in zip(axes_row, row, strict=False):
            places = range(len(one.bins))
            colour = DRIFTED_COLOUR if one.drifted else STABLE_COLOUR
            reference, observed = one.reference / one.reference.sum(), one.counts / max(1.0, one.counts.sum())
            axes.bar([place - 0.2 for place in places], 100 * reference, 0.4, color=REFERENCE_COLOUR, label="reference")
            axes.bar([place + 0.2 for place in places], 100 * observed, 0.4, color=colour, label="observed")
            axes.set_xticks(list(places), one.bins, rotation=90 if len("".join(one.bins)) > 15 else 0, fontsize=7)
            axes.set_title(f"{one.model}, {one.quantity}: PSI {one.psi:.3f}, {verdict(one)}", fontsize=9, loc="left")
            axes.set_ylabel("% of images", fontsize=8)
            axes.tick_params(axis="y", labelsize=7)
            axes.grid(axis="y", alpha=0.3)
            axes.set_axisbelow(True)
            axes.legend(fontsize=7, frameon=False)
    figure.savefig(path, dpi=PNG_DPI)
