"""training.leaks: no picture that judges a model has trained it.

The recipes are asked over a small folder that is full of near copies. Where DATA names the folder of the real data, they are
asked over that as well, which takes some minutes a recipe.
"""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from torch import nn

from tests.training.sources import Images, again, written
from training import splits
from training.datasets import Labelled
from training.drawings import Doodle
from training.frames import Pictures, as_it_is, scanned
from training.leaks import leaks, rasters
from training.pens import doodle, print_of
from training.recipe import Recipe
from training.recipes import RECIPES, category
from training.splits import Part
from training.strangers import unknown


class Few(Recipe):
    """A recipe of given pictures."""

    name = "few"

    def __init__(self, training: Images, validation: Images, test: Images, strange: Images) -> None:
        self._training, self._validation, self._test = (self._scanned(one) for one in (training, validation, test))
        self._strange = Pictures(as_it_is, strange, unknown(len(strange)))

    @property
    def labels(self) -> list[str]:
        return ["sign", "other"]

    def network(self) -> nn.Sequential:
        raise NotImplementedError

    def training(self, number: int) -> dict[str, Pictures]:  # noqa: ARG002
        return {"signs": self._training}

    def validation(self) -> dict[str, Pictures]:
        return {"signs, validation": self._validation}

    def test(self) -> dict[str, Pictures]:
        return {"signs, test": self._test}

    def strangers(self, part: Part) -> dict[str, Pictures]:
        return {"strange": self._strange} if part == "test" else {}

    def _scanned(self, images: Images) -> Pictures:
        return scanned(Labelled(images, np.zeros(len(images), dtype=np.int64)))


def signs(first: int, side: int = 28) -> Images:
    """Ten signs, from this one on."""
    hand = np.random.default_rng(first)
    return np.stack([written(first + number, hand, side) for number in range(10)])


def with_copies(images: Images, *copied: Images) -> Images:
    hand = np.random.default_rng(0)
    return np.concatenate([images, np.stack([again(picture, hand) for picture in copied])])


def test_where_nothing_is_in_two_parts_there_is_nothing_to_tell() -> None:
    assert leaks(Few(signs(0), signs(10), signs(20), signs(30))) == []


def test_the_same_picture_in_two_parts_is_told_with_the_parts() -> None:
    test = signs(20)
    assert leaks(Few(np.concatenate([signs(0), test[:2]]), signs(10), test, signs(30))) == [
        "few: 2 pictures of 'signs' are in 'signs, test' as well"
    ]


def test_near_copies_are_told_between_any_two_parts() -> None:
    validation, test, strange = signs(10), signs(20), signs(30)
    training = with_copies(signs(0), validation[3], test[3], test[4], strange[5])
    assert leaks(Few(training, with_copies(validation, test[7]), test, strange)) == [
        "few: 1 pictures of 'signs' are in 'signs, validation' as well",
        "few: 2 pictures of 'signs' are in 'signs, test' as well",
        "few: 1 pictures of 'signs' are in 'strange, test' as well",
        "few: 1 pictures of 'signs, validation' are in 'signs, test' as well",
    ]


def test_a_drawing_dark_on_light_is_known_for_the_scan_that_it_is() -> None:
    test = signs(20)
    assert len(leaks(Few(np.concatenate([signs(0), 255 - test[:3]]), signs(10), test, signs(30)))) == 1


def test_scans_are_found_by_size_whatever_pen_they_wait_for() -> None:
    small, large = signs(0), signs(0, side=70)
    sources = [(print_of, large[0]), small[0], (doodle, Doodle("sun", "1", [np.zeros((2, 2))])), 7, small[1], small[:4]]
    found = rasters(Pictures(as_it_is, sources, np.zeros(6, dtype=np.int64)))
    assert {shape: len(scans) for shape, scans in found.items()} == {(70, 70): 1, (28, 28): 2}
    assert np.array_equal(found[28, 28], small[:2])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_takes_near_copies_apart(data: Path, name: str) -> None:
    assert leaks(RECIPES[name](data)) == []


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_does_not_is_found_out(data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(images: Images, others: Images) -> npt.NDArray[np.bool_]:  # noqa: ARG001
        return np.zeros(len(images), dtype=np.bool_)

    for module in (splits, category):
        monkeypatch.setattr(module, "near_copies", none)
    recipe = RECIPES[name](data)
    found = leaks(recipe)
    for held_out, pictures in (recipe.validation() | recipe.test()).items():
        assert any(f"are in {held_out!r} as well" in line for line in found) or not rasters(pictures)


if "DATA" in os.environ:

    @pytest.mark.parametrize("name", RECIPES)
    def test_no_picture_of_the_real_data_is_in_two_parts(name: str) -> None:
        assert leaks(RECIPES[name](Path(os.environ["DATA"]))) == []
