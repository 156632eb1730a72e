"""The recipe for a folder of images: labels from the names of the folders."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from models.pictures import MIN_IMAGES
from tests.support.pictures import canvas, encoded
from training.data.datasets import DataError
from training.data.duplicates import near_duplicates
from training.recipes.folder import Folder

FOLDERS = ["T-shirt%2Ftop", "50%25", "100%", "한글", "plain"]
LABELS = ["T-shirt/top", "50%", "100%", "한글", "plain"]


def write(folder: Path, slope: int, numbers: range = range(MIN_IMAGES)) -> None:
    """Write different drawings, by default as many as a label needs."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        stroke = [(40.0 + 4 * number, 40.0), (60.0 + 40 * slope, 240.0 - 3 * number)]
        path = folder / f"{number}.png"
        (path if not path.exists() else path.with_suffix(".bmp")).write_bytes(encoded(canvas([stroke])))


def test_folder_names_are_percent_decoded(tmp_path: Path) -> None:
    for slope, name in enumerate(FOLDERS):
        write(tmp_path / name, slope)
    recipe = Folder(tmp_path, "own")
    assert recipe.labels == sorted(LABELS)
    assert len(recipe.training(0)["own"]) + len(recipe.validation()["own pictures, validation (one in ten)"]) < MIN_IMAGES * 5
    for label, folder in zip(LABELS, FOLDERS, strict=True):
        files = [
            path for path, number in zip(recipe.files, recipe.inputs.labels, strict=True) if recipe.labels[number] == label
        ]
        assert {path.parent.name for path in files} == {folder}
        assert len(files) == MIN_IMAGES
    assert np.bincount(recipe.inputs.labels).tolist() == [MIN_IMAGES] * 5


def test_two_folders_of_the_same_label_raise_data_error(tmp_path: Path) -> None:
    for name in ("a b", "a%20b", "c"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="are the same label"):
        _ = Folder(tmp_path, "own").labels


def test_folders_of_splits_are_the_splits(tmp_path: Path) -> None:
    for split, count, first in (("train", MIN_IMAGES, 0), ("val", 3, 30), ("test", 2, 40)):
        for slope, label in enumerate(("falling", "rising")):
            write(tmp_path / split / label, slope, range(first, first + count))
    write(tmp_path / "train" / "rising", 1, range(40, 41))  # an image of test/
    recipe = Folder(tmp_path, "own")
    assert recipe.labels == ["falling", "rising"]
    assert len(recipe.training(0)["own"]) == 2 * MIN_IMAGES
    assert {name: len(images) for name, images in recipe.validation().items()} == {"own pictures, validation (val/)": 6}
    assert {name: len(images) for name, images in recipe.test().items()} == {"own pictures, test (test/)": 4}
    assert [remark.split(", ")[0] for remark in recipe.remarks] == ["1 pictures repeat another"]


def test_without_a_folder_for_it_validation_is_a_tenth_of_train(tmp_path: Path) -> None:
    for split, count, first in (("train", MIN_IMAGES, 0), ("test", 2, 40)):
        for slope, label in enumerate(("falling", "rising")):
            write(tmp_path / split / label, slope, range(first, first + count))
    recipe = Folder(tmp_path, "own")
    assert {name: len(images) for name, images in recipe.validation().items()} == {"own pictures, validation (one in ten)": 4}
    assert {name: len(images) for name, images in recipe.test().items()} == {"own pictures, test (test/)": 4}
    training, held_out = (
        images.model_inputs(recipe.spec, 1).images for images in (recipe.training(0)["own"], *recipe.validation().values())
    )
    assert 0 < len(training) <= 2 * MIN_IMAGES - 4
    assert not near_duplicates(training, held_out).any()


def test_too_few_images_to_train_on_raise_data_error(tmp_path: Path) -> None:
    write(tmp_path / "train" / "a", 0, range(MIN_IMAGES - 1))
    write(tmp_path / "train" / "b", 1, range(MIN_IMAGES))
    write(tmp_path / "test" / "a", 0, range(30, 50))
    with pytest.raises(DataError, match=f"contains {MIN_IMAGES - 1} images of a to train on"):
        _ = Folder(tmp_path, "own").labels
