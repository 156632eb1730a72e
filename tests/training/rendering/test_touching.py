"""Characters that touch: pairs as outliers, and single ones cut out of a line."""

import numpy as np
import numpy.typing as npt
import pytest

from preprocessing.connected_components import find_components
from training.data.datasets import LabelledImages
from training.data.outliers import OUTLIER
from training.rendering import touching

Scan = npt.NDArray[np.uint8]


def zero() -> Scan:
    """A ring, 12 columns wide and 20 rows high."""
    scan = np.zeros((28, 28), dtype=np.uint8)
    scan[4:24, 8:20] = 255
    scan[8:20, 11:17] = 0
    return scan


def bar() -> Scan:
    """A 1, 3 columns wide."""
    scan = np.zeros((28, 28), dtype=np.uint8)
    scan[4:24, 13:16] = 255
    return scan


def shape(levels: Scan) -> tuple[int, int]:
    """Width and height of the ink."""
    inked = levels > 60
    return int(inked.any(axis=0).sum()), int(inked.any(axis=1).sum())


def test_pairs_are_one_piece_at_times_without_a_part_of_one() -> None:
    rng = np.random.default_rng(2)
    rendered = [np.asarray(touching.render_pair(np.stack([zero(), zero()]), rng)) for _ in range(20)]
    assert all(len(find_components(levels > 60, levels)[0]) == 1 for levels in rendered)
    widths = [width / height for width, height in map(shape, rendered)]
    assert max(widths) > 1.05 and min(widths) < 0.95  # a zero alone is 0.6 as wide as high
    assert min(widths) > 0.65


def test_a_character_is_cut_out_of_its_line() -> None:
    rng = np.random.default_rng(3)
    cut = [np.asarray(touching.render_cut(np.stack([zero(), bar(), bar()]), rng)) for _ in range(30)]
    widths = [width / height for width, height in map(shape, cut)]
    assert all(0.5 < width < 0.72 for width in widths)  # a zero with a bar is 0.75 as wide as high, with two 0.9
    alone = [np.asarray(touching.render_cut(np.stack([bar(), zero(), zero()]), rng)) for _ in range(30)]
    assert all(width / height < 0.4 for width, height in map(shape, alone))


def test_a_character_that_no_cut_separates_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touching, "divide", lambda ink, pen, most: [(ink, None)])  # noqa: ARG005
    levels = np.asarray(touching.render_cut(np.stack([zero(), bar(), bar()]), np.random.default_rng(0)))
    width, height = shape(levels)
    assert 0.55 < width / height < 0.65


def test_cut_characters_keep_their_labels_and_pairs_are_outliers() -> None:
    scans = LabelledImages(np.stack([zero(), bar()]), np.array([0, 1], dtype=np.int64))
    cut = touching.cut_out(scans, 40, seed=5)
    assert len(cut) == 40 and set(cut.labels.tolist()) == {0, 1}
    for image, label in zip(cut.images(), cut.labels.tolist(), strict=True):
        width, height = shape(np.asarray(image))
        assert (width / height > 0.5) == (label == 0)
    assert set(touching.pairs(scans.images, 10, seed=5).labels.tolist()) == {OUTLIER}
