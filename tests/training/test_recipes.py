"""training.recipes over the small data folder: what each shows, holds out and doubts."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from PIL import Image

from training.datasets import emnist
from training.drawings import Doodle
from training.frames import Pictures, frame
from training.recipe import Recipe
from training.recipes import EXAMINATIONS, RECIPES
from training.recipes.category import Category
from training.recipes.characters import Characters
from training.recipes.letters import Letters
from training.splits import Part, part_of
from training.strangers import OUTLIER, part_of_word

pytestmark = pytest.mark.usefixtures("small")

HELD_OUT: tuple[Part, ...] = ("validation", "test")


@pytest.fixture(scope="module", params=RECIPES)
def recipe(request: pytest.FixtureRequest, data: Path) -> Recipe:
    return RECIPES[request.param](data)


def everything(recipe: Recipe) -> dict[str, Pictures]:
    """All pictures of a recipe, by part and name."""
    parts = {"training": recipe.training(0), "validation": recipe.validation(), "test": recipe.test()}
    parts |= {f"strangers, {part}": recipe.strangers(part) for part in HELD_OUT}
    return {f"{part}: {name}": pictures for part, sources in parts.items() for name, pictures in sources.items()}


def some(pictures: Pictures) -> list[bytes]:
    return [image.tobytes() for image in islice(pictures.images(), 6)]


def doodles(sources: Mapping[str, Pictures]) -> list[Doodle]:
    """All doodles among the pictures, whatever pen they wait for."""
    found = [one[1] if isinstance(one, tuple) else one for pictures in sources.values() for one in pictures.sources]
    return [one for one in found if isinstance(one, Doodle)]


def test_every_source_gives_pictures_with_something_on_them(recipe: Recipe) -> None:
    for name, pictures in everything(recipe).items():
        made = list(islice(pictures.images(), 6))
        assert len(made) == min(6, len(pictures)) > 0, name
        for image in made:
            assert isinstance(image, Image.Image) and image.mode in ("L", "RGB")
            assert frame(image, recipe.spec).any(), name


def test_every_picture_has_a_label_of_the_model_or_of_none(recipe: Recipe) -> None:
    for name, pictures in everything(recipe).items():
        assert pictures.labels.dtype == np.int64 and len(pictures.sources) == len(pictures.labels)
        known = not name.startswith("strangers")
        assert pictures.labels.min() >= (0 if name.startswith(("validation", "test")) else OUTLIER), name
        classes = recipe.kinds if name.startswith("training") else recipe.labels
        assert pictures.labels.max() < (len(classes) if known else 0), name


def test_every_class_is_trained_and_judged(recipe: Recipe) -> None:
    classes = set(range(len(recipe.labels)))
    trained = {label for pictures in recipe.training(0).values() for label in pictures.labels.tolist()}
    assert trained == {*range(len(recipe.kinds)), OUTLIER} and set(recipe.kinds) == classes
    for sources in (recipe.validation(), recipe.test()):
        for pictures in sources.values():
            assert set(pictures.labels.tolist()) == classes


def test_a_bank_is_the_same_for_the_same_number_and_another_for_another(recipe: Recipe) -> None:
    first, again, other = (recipe.training(number) for number in (0, 0, 1))
    assert {name: some(pictures) for name, pictures in first.items()} == {name: some(one) for name, one in again.items()}
    changed = [name for name in first if some(first[name]) != some(other[name])]
    assert set(first) == set(other)
    # A scan that is shown as it is looks the same in every bank.
    assert set(first) - set(changed) <= {"mnist", "fashion"}


def test_what_judges_is_the_same_each_time(recipe: Recipe) -> None:
    again = type(recipe)(recipe.data)
    for one, other in ((recipe.validation(), again.validation()), (recipe.test(), again.test())):
        assert {name: some(pictures) for name, pictures in one.items()} == {name: some(pics) for name, pics in other.items()}


def test_what_judges_is_named_by_data_set_and_split(recipe: Recipe) -> None:
    for split, sources in (("validation", recipe.validation()), ("test", recipe.test())):
        for name in sources:
            data_set, of = name.split(", ", 1)
            assert data_set and of.startswith(split), name


def test_the_network_answers_for_every_label(recipe: Recipe) -> None:
    network, sheets = recipe.network(), torch.zeros(2, 1, recipe.spec.size, recipe.spec.size)
    with torch.inference_mode():
        assert network.train()(sheets).shape == (2, len(recipe.kinds))
        answers = network.eval()(sheets)
    assert answers.shape == (2, len(recipe.labels)) and len(set(recipe.labels)) == len(recipe.labels)


def test_no_drawing_and_no_word_of_a_doodle_is_in_two_parts(recipe: Recipe) -> None:
    train = doodles(recipe.training(0))
    judged = [doodles(recipe.validation() | recipe.strangers("validation")), doodles(recipe.test() | recipe.strangers("test"))]
    keys = [{doodle.key for doodle in part} for part in (train, *judged)]
    assert all(keys)
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]
    share = part_of if recipe.name == "category" else part_of_word
    for part, found in zip(("train", *HELD_OUT), (train, *judged), strict=True):
        assert {share(one.key if recipe.name == "category" else one.word) for one in found} == {part}


def test_letters_are_a_to_z_in_either_case(data: Path) -> None:
    letters = Letters(data)
    assert "".join(letters.labels) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    (scans, penned) = letters.test().values()
    assert np.array_equal(scans.labels, penned.labels) and np.array_equal(scans.sources, penned.sources)
    whole = emnist(data)
    known = {picture.tobytes(): label - 10 for picture, label in zip(whole.images, whole.labels.tolist(), strict=True)}
    assert [known[np.asarray(scan).tobytes()] for scan in scans.sources] == scans.labels.tolist()


def test_category_judges_about_as_many_of_each_kind(data: Path) -> None:
    category = Category(data)
    for sources, count in ((category.validation(), 60), (category.test(), 80)):
        digits, letters, drawings = np.bincount(next(iter(sources.values())).labels).tolist()
        assert (digits, letters) == (count // 10 * 10, count // 26 * 26)
        assert count / 2 < drawings <= count


def test_category_trains_on_drawings_of_which_half_are_bent(data: Path) -> None:
    for name, pictures in Category(data).training(0).items():
        if name in ("rows", "clothes"):
            continue
        first = pictures.take(np.array([0]))
        ((pen, drawing),) = first.sources
        seeds = range(40)
        made = [next(replace(first, seed=seed).images()) for seed in seeds]
        straight = [pen(drawing, np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])) for seed in seeds]
        assert 10 < sum(one.tobytes() != other.tobytes() for one, other in zip(made, straight, strict=True)) < 30, name


def test_category_is_judged_again_without_the_letters_that_are_a_0_or_a_1(data: Path) -> None:
    whole, less = Category(data).test().values()
    alike = 80 // 26 * len("OIL")
    assert (np.bincount(whole.labels) - np.bincount(less.labels)).tolist() == [0, alike, 0]
    scans = emnist(data)
    letters = {
        picture.tobytes() for picture in scans.images[np.isin(scans.labels, [10 + ord(one) - ord("A") for one in "OIL"])]
    }
    assert sum(np.asarray(scan).tobytes() in letters for _, scan in whole.sources if isinstance(scan, np.ndarray)) >= alike
    assert not any(np.asarray(scan).tobytes() in letters for _, scan in less.sources if isinstance(scan, np.ndarray))


def test_characters_are_judged_by_the_test_pictures_of_category_read_to_the_end(data: Path) -> None:
    characters, category = Characters(data), Category(data)
    assert characters.labels == [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "drawing"]
    assert characters.test().keys() == category.test().keys()
    for read, told in zip(characters.test().values(), category.test().values(), strict=True):
        assert some(read) == some(told) and len(read) == len(told)
        assert np.array_equal(np.digitize(read.labels, [10, 36]), told.labels)
    read = next(iter(characters.test().values()))
    digits, letters = category.written("test")
    assert np.array_equal(read.labels[: len(digits)], digits.labels)
    assert np.array_equal(read.labels[len(digits) : len(digits) + len(letters)], letters.labels + 10)


def test_every_model_with_test_pictures_has_a_name() -> None:
    assert set(EXAMINATIONS) == {*RECIPES, "characters"}
    assert all(name == recipe.name for name, recipe in RECIPES.items())
