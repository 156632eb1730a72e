"""The recipes on the small data folder: training, held-out and out-of-distribution images."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from PIL import Image

from training.data.datasets import emnist
from training.data.drawings import Doodle
from training.data.image_sets import ImageSet, to_model_input
from training.data.outliers import OUTLIER, split_of_word
from training.data.splits import Split, split_of_key
from training.recipe import Recipe
from training.recipes import EVALUATION_DATA, RECIPES
from training.recipes.category import Category
from training.recipes.characters import Characters
from training.recipes.letters import Letters

pytestmark = pytest.mark.usefixtures("small")

HELD_OUT: tuple[Split, ...] = ("validation", "test")


@pytest.fixture(scope="module", params=RECIPES)
def recipe(request: pytest.FixtureRequest, data: Path) -> Recipe:
    return RECIPES[request.param](data)


def all_images(recipe: Recipe) -> dict[str, ImageSet]:
    """All images of a recipe, by split and name."""
    parts = {"training": recipe.training(0), "validation": recipe.validation(), "test": recipe.test()}
    parts |= {f"out of distribution, {split}": recipe.out_of_distribution(split) for split in HELD_OUT}
    return {f"{split}: {name}": images for split, sources in parts.items() for name, images in sources.items()}


def some(images: ImageSet) -> list[bytes]:
    return [image.tobytes() for image in islice(images.images(), 6)]


def doodles(sources: Mapping[str, ImageSet]) -> list[Doodle]:
    """All doodles among the sources of image sets."""
    found = [one[1] if isinstance(one, tuple) else one for images in sources.values() for one in images.sources]
    return [one for one in found if isinstance(one, Doodle)]


def test_every_source_renders_images_with_ink(recipe: Recipe) -> None:
    for name, images in all_images(recipe).items():
        rendered = list(islice(images.images(), 6))
        assert len(rendered) == min(6, len(images)) > 0, name
        for image in rendered:
            assert isinstance(image, Image.Image) and image.mode in ("L", "RGB")
            assert to_model_input(image, recipe.spec).any(), name


def test_every_image_has_a_class_of_the_model_or_the_outlier_class(recipe: Recipe) -> None:
    for name, images in all_images(recipe).items():
        assert images.labels.dtype == np.int64 and len(images.sources) == len(images.labels)
        known = not name.startswith("out of distribution")
        assert images.labels.min() >= (0 if name.startswith(("validation", "test")) else OUTLIER), name
        classes = recipe.fine_classes if name.startswith("training") else recipe.labels
        assert images.labels.max() < (len(classes) if known else 0), name


def test_every_class_is_trained_and_held_out(recipe: Recipe) -> None:
    classes = set(range(len(recipe.labels)))
    trained = {label for images in recipe.training(0).values() for label in images.labels.tolist()}
    assert trained == {*range(len(recipe.fine_classes)), OUTLIER} and set(recipe.fine_classes) == classes
    for sources in (recipe.validation(), recipe.test()):
        for images in sources.values():
            assert set(images.labels.tolist()) == classes


def test_training_set_depends_on_its_number_only(recipe: Recipe) -> None:
    first, repeated, other = (recipe.training(number) for number in (0, 0, 1))
    assert {name: some(images) for name, images in first.items()} == {name: some(one) for name, one in repeated.items()}
    changed = [name for name in first if some(first[name]) != some(other[name])]
    assert set(first) == set(other)
    # Unchanged scans are the same in every training set.
    assert set(first) - set(changed) <= {"mnist", "fashion"}


def test_held_out_images_are_the_same_each_time(recipe: Recipe) -> None:
    repeated = type(recipe)(recipe.data)
    for one, other in ((recipe.validation(), repeated.validation()), (recipe.test(), repeated.test())):
        assert {name: some(images) for name, images in one.items()} == {name: some(images) for name, images in other.items()}


def test_held_out_sets_are_named_by_data_set_and_split(recipe: Recipe) -> None:
    for split, sources in (("validation", recipe.validation()), ("test", recipe.test())):
        for name in sources:
            data_set, of = name.split(", ", 1)
            assert data_set and of.startswith(split), name


def test_network_has_an_output_for_every_label(recipe: Recipe) -> None:
    network, inputs = recipe.network(), torch.zeros(2, 1, recipe.spec.height, recipe.spec.width)
    with torch.inference_mode():
        assert network.train()(inputs).shape == (2, len(recipe.fine_classes))
        answers = network.eval()(inputs)
    assert answers.shape == (2, len(recipe.labels)) and len(set(recipe.labels)) == len(recipe.labels)


def test_doodles_and_words_are_in_one_split_only(recipe: Recipe) -> None:
    train = doodles(recipe.training(0))
    held_out = [
        doodles(recipe.validation() | recipe.out_of_distribution("validation")),
        doodles(recipe.test() | recipe.out_of_distribution("test")),
    ]
    keys = [{doodle.key for doodle in split} for split in (train, *held_out)]
    assert all(keys)
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]
    split_of = split_of_key if recipe.name == "category" else split_of_word
    for split, found in zip(("train", *HELD_OUT), (train, *held_out), strict=True):
        assert {split_of(one.key if recipe.name == "category" else one.word) for one in found} == {split}


def test_letters_of_both_cases_have_the_labels_a_to_z(data: Path) -> None:
    letters = Letters(data)
    assert "".join(letters.labels) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    (scans, redrawn) = letters.test().values()
    assert np.array_equal(scans.labels, redrawn.labels) and np.array_equal(scans.sources, redrawn.sources)
    whole = emnist(data)
    known = {image.tobytes(): label - 10 for image, label in zip(whole.images, whole.labels.tolist(), strict=True)}
    assert [known[np.asarray(scan).tobytes()] for scan in scans.sources] == scans.labels.tolist()


def test_category_holds_out_about_as_many_of_each_label(data: Path) -> None:
    category = Category(data)
    for sources, count in ((category.validation(), 60), (category.test(), 80)):
        digits, letters, drawings = np.bincount(next(iter(sources.values())).labels).tolist()
        assert (digits, letters) == (count // 10 * 10, count // 26 * 26)
        assert count / 2 < drawings <= count


def test_category_distorts_half_of_its_training_images(data: Path) -> None:
    training = Category(data).training(0)
    for name in ("digits", "letters", "doodles", "shapes", "symbols"):
        first = training[name].take(np.array([0]))
        ((render, drawing),) = first.sources
        seeds = range(40)
        rendered = [next(replace(first, seed=seed).images()) for seed in seeds]
        straight = [render(drawing, np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])) for seed in seeds]
        assert 10 < sum(one.tobytes() != other.tobytes() for one, other in zip(rendered, straight, strict=True)) < 30, name


def test_category_trains_on_characters_cut_out_of_lines_with_their_fine_classes(data: Path) -> None:
    training = Category(data).training(0)
    assert set(training["digits cut out of a line"].labels.tolist()) <= set(range(10))
    assert set(training["letters cut out of a line"].labels.tolist()) <= set(range(10, 36))
    for kind in ("digits", "letters"):
        assert (training[f"pairs of {kind}"].labels == OUTLIER).all()


def test_second_test_set_of_category_is_without_lookalikes(data: Path) -> None:
    whole, less = Category(data).test().values()
    lookalikes = 80 // 26 * len("OIL")
    assert (np.bincount(whole.labels) - np.bincount(less.labels)).tolist() == [0, lookalikes, 0]
    scans = emnist(data)
    letters = {image.tobytes() for image in scans.images[np.isin(scans.labels, [10 + ord(one) - ord("A") for one in "OIL"])]}
    assert sum(np.asarray(scan).tobytes() in letters for _, scan in whole.sources if isinstance(scan, np.ndarray)) >= lookalikes
    assert not any(np.asarray(scan).tobytes() in letters for _, scan in less.sources if isinstance(scan, np.ndarray))


def test_characters_has_the_test_sets_of_category_with_its_own_classes(data: Path) -> None:
    characters, category = Characters(data), Category(data)
    assert characters.labels == [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "drawing"]
    assert characters.test().keys() == category.test().keys()
    for cascade_set, category_set in zip(characters.test().values(), category.test().values(), strict=True):
        assert some(cascade_set) == some(category_set) and len(cascade_set) == len(category_set)
        assert np.array_equal(np.digitize(cascade_set.labels, [10, 36]), category_set.labels)
    cascade_set = next(iter(characters.test().values()))
    digits, letters = category.held_out_scans("test")
    assert np.array_equal(cascade_set.labels[: len(digits)], digits.labels)
    assert np.array_equal(cascade_set.labels[len(digits) : len(digits) + len(letters)], letters.labels + 10)


def test_evaluation_data_exists_for_every_recipe_and_the_cascade() -> None:
    assert set(EVALUATION_DATA) == {*RECIPES, "characters"}
    assert all(name == recipe.name for name, recipe in RECIPES.items())
