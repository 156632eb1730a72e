"""Reports a simulation of drift: tables in Markdown, and a plot of how soon each change is noticed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from models.reference import Quantity
from models.stability import psi_limit
from training.drift.simulation import SHARES, SIZES, WINDOW, WINDOWS, Binned, Noticed, chance_psi, power

mpl.use("Agg")

PNG_DPI: Final = 120
CONTINUOUS: Final[tuple[Quantity, ...]] = ("label", "confidence", "ink")


def changes_table(model: str, noticed: Mapping[str, Noticed], accuracies: Mapping[str, float]) -> list[str]:
    """The lines of a table: how soon each change is noticed, and the accuracy under it, of those whose answers can be right."""
    lines = [f"| {model} | noticed by | pictures | share of {WINDOW:,} | accuracy |", "| --- | --- | ---: | ---: | ---: |"]
    for name, one in noticed.items():
        if one.pictures is None:
            cells = ["not noticed", f"more than {SIZES[-1]:,}", "-"]
        else:
            cells = [", ".join(one.quantities), f"{one.pictures:,}", "-" if one.share is None else f"{one.share:.0%}"]
        accuracy = f"{accuracies[name]:.1%}" if name in accuracies else "-"
        lines.append(f"| {' | '.join([name, *cells, accuracy])} |")
    return lines


def alarms_table(model: str, rows: Mapping[float, Sequence[str]], columns: Sequence[str]) -> list[str]:
    """The lines of a table: false alarms a month, and the least share of each change, by threshold."""
    return [
        f"| {model}, threshold | {' | '.join(columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
        *(f"| {threshold:g} | {' | '.join(cells)} |" for threshold, cells in rows.items()),
    ]


def plot(usual: Binned, changed: Mapping[str, Binned], title: str, path: Path) -> None:
    """Plot the share of windows that notice a change over how many of their pictures changed, and the PSI of windows in which
    none did beside its limit."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    noticing, chance = figure.subplots(1, 2, width_ratios=(3, 2))
    rng = np.random.default_rng(0)
    for number, (name, one) in enumerate(changed.items()):
        found = [100 * max(power(usual, one, WINDOW, round(share * WINDOW), rng).values()) for share in SHARES]
        percent = [100 * share for share in SHARES]
        noticing.plot(percent, found, marker="o", markersize=3, label=name, color=f"C{number}", alpha=0.8)
    noticing.set_xlabel(f"% of {WINDOW:,} pictures in the window that changed")
    noticing.set_ylabel("% of windows noticed")
    noticing.set_title(f"{title}: how many pictures must change", loc="left", fontsize=10)
    noticing.legend(fontsize=7, loc="lower right")
    for number, quantity in enumerate(CONTINUOUS):
        bins, pictures = len(usual.reference.bins(quantity)), float(usual.reference.n)
        highest = [float(chance_psi(usual, quantity, n, rng).max()) for n in SIZES]
        chance.plot(SIZES, highest, marker="o", markersize=3, color=f"C{number}", label=f"{quantity}: highest of {WINDOWS}")
        limits = [psi_limit(bins, float(n), pictures) for n in SIZES]
        chance.plot(SIZES, limits, linestyle="--", color=f"C{number}", label=f"{quantity}: limit")
    chance.set_title("PSI of unchanged windows", loc="left", fontsize=10)
    chance.set_yscale("log")
    chance.legend(fontsize=7)
    chance.set_xscale("log")
    chance.set_xlabel("pictures in the window")
    for axes in (noticing, chance):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=PNG_DPI)
