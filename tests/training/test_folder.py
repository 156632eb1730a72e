"""training.recipes.folder: labels from the names of folders."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

from tests.support.pictures import canvas, encoded
from training.datasets import DataError
from training.recipes.folder import FEWEST, Folder

FOLDERS = ["T-shirt%2Ftop", "50%25", "100%", "한글", "plain"]
LABELS = ["T-shirt/top", "50%", "100%", "한글", "plain"]


def write(folder: Path, turn: int) -> None:
    """As many drawings as a label needs, none like another."""
    folder.mkdir()
    for number in range(FEWEST):
        stroke = [(40.0 + 8 * number, 40.0), (60.0 + 40 * turn, 240.0 - 3 * number)]
        (folder / f"{number}.png").write_bytes(encoded(canvas([stroke])))


def test_names_of_folders_may_be_percent_encoded(tmp_path: Path) -> None:
    for turn, name in enumerate(FOLDERS):
        write(tmp_path / name, turn)
    recipe = Folder(tmp_path, "own")
    assert recipe.labels == sorted(LABELS)
    assert len(recipe.training(0)["own"]) + len(recipe.validation()["own pictures, validation (one in ten)"]) < FEWEST * 5
    for label, folder in zip(LABELS, FOLDERS, strict=True):
        files = [
            path for path, number in zip(recipe._files, recipe._whole.labels, strict=True) if recipe.labels[number] == label
        ]
        assert {path.parent.name for path in files} == {folder}
        assert len(files) == FEWEST
    assert np.bincount(recipe._whole.labels).tolist() == [FEWEST] * 5


def test_two_folders_of_the_same_label_are_told_of(tmp_path: Path) -> None:
    for name in ("a b", "a%20b", "c"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="are the same label"):
        _ = Folder(tmp_path, "own").labels
