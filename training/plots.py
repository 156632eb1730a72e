"""Pictures of numbers: the curves of a training, the confusions of a model."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.train import Epoch

mpl.use("Agg")


def draw_curves(curve: Sequence[Epoch], path: Path) -> None:
    """Loss and accuracy over the epochs, on training and validation data, as PNG."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    losses, shares = figure.subplots(1, 2)
    epochs = [line.epoch for line in curve]
    losses.plot(epochs, [line.loss for line in curve], color="0.4", linestyle="--", label="training")
    for name in curve[0].accuracy:
        losses.plot(epochs, [line.validation_loss[name] for line in curve], label=name)
        shares.plot(epochs, [100 * line.accuracy[name] for line in curve], label=name)
    losses.set_title("cross entropy")
    shares.set_title("accuracy, %")
    for axes in (losses, shares):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    losses.legend(fontsize=7)
    figure.savefig(path, dpi=110)


def draw_confusions(table: npt.NDArray[np.int64], labels: Sequence[str], path: Path) -> None:
    """How often each class (rows) was read as each (columns), in % of the row, as PNG; the numbers are there where they fit."""
    shares = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 3.2 + 0.32 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares**0.4, cmap="Blues", vmin=0, vmax=100**0.4)
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=90 if max(map(len, labels)) > 2 else 0)
    axes.set_yticks(places, labels)
    axes.set_xlabel("read as")
    axes.set_ylabel("is")
    for row, column in zip(*np.nonzero(shares >= 0.05), strict=True):
        text = f"{shares[row, column]:.0f}" if shares[row, column] >= 9.95 else f"{shares[row, column]:.1f}"
        colour = "white" if shares[row, column] > 30 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=colour)
    figure.savefig(path, dpi=110)
