"""The recipe for a folder of images: labels from the names of the folders."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from tests.support.pictures import canvas, encoded
from training.data.datasets import DataError
from training.recipes.folder import MIN_IMAGES, Folder

FOLDERS = ["T-shirt%2Ftop", "50%25", "100%", "한글", "plain"]
LABELS = ["T-shirt/top", "50%", "100%", "한글", "plain"]


def write(folder: Path, slope: int) -> None:
    """Write as many different drawings as a label needs."""
    folder.mkdir()
    for number in range(MIN_IMAGES):
        stroke = [(40.0 + 8 * number, 40.0), (60.0 + 40 * slope, 240.0 - 3 * number)]
        (folder / f"{number}.png").write_bytes(encoded(canvas([stroke])))


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
