"""Plots show the measured values at a readable size."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from training.evaluation.plots import plot_confusions, plot_curves
from training.fitting.loop import EpochResult


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """Every figure that is saved."""
    saved: list[Figure] = []
    save = Figure.savefig

    def kept(figure: Figure, *arguments: Any, **options: Any) -> None:
        saved.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", kept)
    yield saved


def curve(epochs: int, *names: str) -> list[EpochResult]:
    return [
        EpochResult(number, 2 / number, dict.fromkeys(names, 1 - 0.5 / number), dict.fromkeys(names, 1 / number), 60.0 * number)
        for number in range(1, epochs + 1)
    ]


def numbers(axes: Axes) -> dict[tuple[int, int], str]:
    """The numbers in a confusion matrix by row and column."""
    return {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts}


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        image.load()
        return image.width, image.height


@pytest.mark.parametrize("epochs", [1, 7])
def test_curves_show_every_epoch_of_training_and_validation(epochs: int, tmp_path: Path, figures: list[Figure]) -> None:
    plot_curves(curve(epochs, "scans", "drawings"), tmp_path / "training.png")
    width, height = size(tmp_path / "training.png")
    assert 800 <= width <= 1200 and 300 <= height <= 500
    losses, shares = figures[0].axes
    assert [line.get_label() for line in losses.lines] == ["training", "scans", "drawings"]
    assert np.array_equal(losses.lines[0].get_xdata(), list(range(1, epochs + 1)))
    assert np.array_equal(losses.lines[0].get_ydata(), [2 / number for number in range(1, epochs + 1)])
    assert np.array_equal(losses.lines[1].get_ydata(), [1 / number for number in range(1, epochs + 1)])
    assert np.array_equal(shares.lines[1].get_ydata(), [100 * (1 - 0.5 / number) for number in range(1, epochs + 1)])
    (legend,) = figures[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["training", "scans", "drawings"]


def test_confusions_are_in_percent_of_the_row(tmp_path: Path, figures: list[Figure]) -> None:
    table = np.array([[90, 10, 0], [1, 1998, 1], [0, 0, 0]])
    plot_confusions(table, ["cat", "dog", "owl"], tmp_path / "confusions.png")
    (axes,) = figures[0].axes
    # 1 of 2,000 is 0.05 %, the least that is written; a class without images has no numbers.
    assert numbers(axes) == {(0, 0): "90", (0, 1): "10", (1, 0): "0.1", (1, 1): "100", (1, 2): "0.1"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", "owl"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("read as", "is")
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {90}


def test_dark_cells_have_white_numbers(tmp_path: Path, figures: list[Figure]) -> None:
    plot_confusions(np.array([[80, 20], [4, 96]]), ["a", "b"], tmp_path / "confusions.png")
    (axes,) = figures[0].axes
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert colours == {"80": "white", "20": "black", "4.0": "black", "96": "white"}


def test_plot_grows_with_the_number_of_classes_within_limits(tmp_path: Path) -> None:
    sizes = []
    for labels in (["digit", "letter", "drawing"], [chr(65 + place) for place in range(26)]):
        table = np.eye(len(labels), dtype=np.int64) * 380 + 1
        plot_confusions(table, labels, tmp_path / "confusions.png")
        sizes.append(size(tmp_path / "confusions.png"))
        assert (tmp_path / "confusions.png").stat().st_size < 400_000
    (small, _), (large, tall) = sizes
    assert 350 <= small <= 600 and 1000 <= large == tall <= 1500
    # Each of 26 columns has space for three digits of about 8 pixels.
    assert large / 26 > 30
