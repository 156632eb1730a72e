"""Searching recipes for images that are in two splits.

The recipes are tested on a small data folder with many near duplicates. If DATA names the folder of the real data, they are
tested on it as well, which takes some minutes a recipe.
"""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from torch import nn

from tests.training.synthetic_data import Images, draw_symbol, near_copy
from training.data import splits
from training.data.datasets import LabelledImages
from training.data.drawings import Doodle
from training.data.image_sets import ImageSet, unchanged
from training.data.outliers import outlier_set
from training.data.split_leakage import find_leaks, source_images
from training.data.splits import Split
from training.recipe import Recipe
from training.recipes import RECIPES, category
from training.rendering.redrawing import redraw_doodle, redraw_drawing


class Few(Recipe):
    """A recipe of given images."""

    name = "few"

    def __init__(self, training: Images, validation: Images, test: Images, outliers: Images) -> None:
        self._training, self._validation, self._test = (self._scans(one) for one in (training, validation, test))
        self._outliers = outlier_set(unchanged, outliers)

    @property
    def labels(self) -> list[str]:
        return ["symbol", "other"]

    def network(self) -> nn.Sequential:
        raise NotImplementedError

    def training(self, number: int) -> dict[str, ImageSet]:  # noqa: ARG002
        return {"symbols": self._training}

    def validation(self) -> dict[str, ImageSet]:
        return {"symbols, validation": self._validation}

    def test(self) -> dict[str, ImageSet]:
        return {"symbols, test": self._test}

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        return {"outliers": self._outliers} if split == "test" else {}

    def _scans(self, images: Images) -> ImageSet:
        return ImageSet.of(LabelledImages(images, np.zeros(len(images), dtype=np.int64)))


def symbols(first: int, side: int = 28) -> Images:
    """Draw ten symbols, from a number on."""
    rng = np.random.default_rng(first)
    return np.stack([draw_symbol(first + number, rng, side) for number in range(10)])


def with_copies(images: Images, *originals: Images) -> Images:
    rng = np.random.default_rng(0)
    return np.concatenate([images, np.stack([near_copy(image, rng) for image in originals])])


def test_disjoint_splits_have_no_leaks() -> None:
    assert find_leaks(Few(symbols(0), symbols(10), symbols(20), symbols(30))) == []


def test_same_image_in_two_splits_is_reported() -> None:
    test = symbols(20)
    assert find_leaks(Few(np.concatenate([symbols(0), test[:2]]), symbols(10), test, symbols(30))) == [
        "few: 2 images of 'symbols' are in 'symbols, test' as well"
    ]


def test_near_duplicates_are_reported_between_any_two_splits() -> None:
    validation, test, outliers = symbols(10), symbols(20), symbols(30)
    training = with_copies(symbols(0), validation[3], test[3], test[4], outliers[5])
    assert find_leaks(Few(training, with_copies(validation, test[7]), test, outliers)) == [
        "few: 1 images of 'symbols' are in 'symbols, validation' as well",
        "few: 2 images of 'symbols' are in 'symbols, test' as well",
        "few: 1 images of 'symbols' are in 'outliers, test' as well",
        "few: 1 images of 'symbols, validation' are in 'symbols, test' as well",
    ]


def test_inverted_image_in_two_splits_is_reported() -> None:
    test = symbols(20)
    assert len(find_leaks(Few(np.concatenate([symbols(0), 255 - test[:3]]), symbols(10), test, symbols(30)))) == 1


def test_source_images_are_grouped_by_shape() -> None:
    small, large = symbols(0), symbols(0, side=70)
    sources = [
        (redraw_drawing, large[0]),
        small[0],
        (redraw_doodle, Doodle("sun", "1", [np.zeros((2, 2))])),
        7,
        small[1],
        small[:4],
    ]
    found = source_images(ImageSet(unchanged, sources, np.zeros(6, dtype=np.int64)))
    assert {shape: len(scans) for shape, scans in found.items()} == {(70, 70): 1, (28, 28): 2}
    assert np.array_equal(found[28, 28], small[:2])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", RECIPES)
def test_recipes_have_no_leaks(data: Path, name: str) -> None:
    assert find_leaks(RECIPES[name](data)) == []


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", RECIPES)
def test_leaks_are_found_when_recipes_keep_near_duplicates(data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_duplicates(images: Images, others: Images) -> npt.NDArray[np.bool_]:  # noqa: ARG001
        return np.zeros(len(images), dtype=np.bool_)

    for module in (splits, category):
        monkeypatch.setattr(module, "near_duplicates", no_duplicates)
    recipe = RECIPES[name](data)
    found = find_leaks(recipe)
    for held_out, images in (recipe.validation() | recipe.test()).items():
        assert any(f"are in {held_out!r} as well" in line for line in found) or not source_images(images)


if "DATA" in os.environ:

    @pytest.mark.parametrize("name", RECIPES)
    def test_recipes_have_no_leaks_in_the_real_data(name: str) -> None:
        assert find_leaks(RECIPES[name](Path(os.environ["DATA"]))) == []
