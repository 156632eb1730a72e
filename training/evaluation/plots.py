"""Plots learning curves and confusion matrices as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.fitting.loop import EpochResult

mpl.use("Agg")


def plot_curves(curve: Sequence[EpochResult], path: Path) -> None:
    """Plot loss and accuracy over the epochs, on training and validation data."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    epochs = [result.epoch for result in curve]
    losses.plot(epochs, [result.loss for result in curve], color="0.4", linestyle="--", label="training")
    for name in curve[0].accuracy:
        losses.plot(epochs, [result.validation_loss[name] for result in curve], label=name)
        accuracies.plot(epochs, [100 * result.accuracy[name] for result in curve], label=name)
    losses.set_title("cross entropy")
    accuracies.set_title("accuracy, %")
    for axes in (losses, accuracies):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles, names = losses.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize=7)  # the names of data sets are long
    figure.savefig(path, dpi=110)


def plot_confusions(matrix: npt.NDArray[np.int64], labels: Sequence[str], path: Path) -> None:
    """Plot a confusion matrix (rows are true classes) in % of each row; cells below 0.05 % stay without a number."""
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 3.2 + 0.32 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares**0.4, cmap="Blues", vmin=0, vmax=100**0.4)
    ticks = range(len(labels))
    axes.set_xticks(ticks, labels, rotation=90 if max(map(len, labels)) > 2 else 0)
    axes.set_yticks(ticks, labels)
    axes.set_xlabel("read as")
    axes.set_ylabel("is")
    for row, column in zip(*np.nonzero(shares >= 0.05), strict=True):
        text = f"{shares[row, column]:.0f}" if shares[row, column] >= 9.95 else f"{shares[row, column]:.1f}"
        colour = "white" if shares[row, column] > 30 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=colour)
    figure.savefig(path, dpi=110)
