"""training.outliers over small files made here."""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import outliers
from training.datasets import DataError, Labelled

WORDS = (
    "cat",
    "cactus",
    "candle",
    "circle",
    "camera",
    "campfire",
    "car",
    "carrot",
    "castle",
    "church",
    "computer",
    "crab",
    "zigzag",
)


@pytest.fixture
def doodles(tmp_path: Path) -> Path:
    (tmp_path / "drawings").mkdir()
    with gzip.open(tmp_path / "drawings" / "quickdraw-raw-strokes.ndjson.gz", "wt", encoding="utf-8") as file:
        for word in WORDS:
            file.write(json.dumps({"word": word, "drawing": [[[10, 60, 110], [5, 30, 5]], [[10, 10], [5, 55]]]}) + "\n")
    return tmp_path


def test_every_word_belongs_to_one_part_and_ambiguous_ones_to_none(doodles: Path) -> None:
    parts: tuple[outliers.Part, ...] = ("train", "validation", "test")
    found = {part: {doodle.word for doodle in outliers.quickdraw(doodles, part)} for part in parts}
    assert found["train"] and found["validation"] | found["test"]
    everything = [word for words in found.values() for word in words]
    assert len(everything) == len(set(everything))
    assert not {"circle", "zigzag"} & set(everything)
    assert not found["train"] & outliers.LIKE_DIGITS


def test_half_of_the_words_train() -> None:
    words = [f"word {number}" for number in range(2000)]
    shares = {part: sum(outliers.part_of(word) == part for word in words) / 2000 for part in ("train", "validation", "test")}
    assert shares == pytest.approx({"train": 0.5, "validation": 0.2, "test": 0.3}, abs=0.04)


def test_a_doodle_is_brought_to_one_high_and_drawn(doodles: Path) -> None:
    doodle = outliers.quickdraw(doodles, "train")[0]
    points = np.concatenate(doodle.paths)
    assert points.min() == 0 and points.max() == 1
    assert len(doodle.paths) == 2 and doodle.paths[0].shape == (3, 2)
    assert np.asarray(outliers.doodled(doodle, np.random.default_rng(0))).max() > 60


def test_a_doodle_of_dots_is_drawn() -> None:
    dot = outliers.Doodle("dot", [np.zeros((1, 2))])
    assert np.asarray(outliers.doodled(dot, np.random.default_rng(0))).max() > 60


@pytest.mark.parametrize("strokes", [1, 3])
def test_a_scribble_has_ink(strokes: int) -> None:
    assert np.asarray(outliers.scribbled(strokes, np.random.default_rng(1))).max() > 60


def test_omniglot_comes_without_its_latin_alphabet(tmp_path: Path) -> None:
    folder = tmp_path / "drawings" / "omniglot"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "images_background_small1.zip", "w") as files:
        for number, alphabet in enumerate(("Greek", "Korean", "Latin")):
            buffer = io.BytesIO()
            Image.new("1", (105, 105), number % 2).save(buffer, "PNG")
            files.writestr(f"images_background_small1/{alphabet}/character01/0001_01.png", buffer.getvalue())
    assert outliers.omniglot(tmp_path, "images_background_small1").shape == (2, 105, 105)


def test_fashion_gives_as_many_as_asked_for_and_the_same_ones(tmp_path: Path) -> None:
    (tmp_path / "fashion-mnist").mkdir()
    images = np.random.default_rng(0).integers(0, 256, (9, 28, 28), dtype=np.uint8)
    content = struct.pack(">4I", 2051, *images.shape) + images.tobytes()
    (tmp_path / "fashion-mnist" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    first, again = (outliers.fashion(tmp_path, "train", 4, seed=2) for _ in range(2))
    assert first.shape == (4, 28, 28) and np.array_equal(first, again)


def test_only_letters_unlike_digits_are_taken() -> None:
    labels = np.arange(36)
    images = np.arange(36, dtype=np.uint8).repeat(784).reshape(36, 28, 28)
    taken = outliers.letters(Labelled(images, labels))[:, 0, 0]
    assert {chr(ord("A") + int(label) - 10) for label in taken} == set("EHKMNWX")


def test_a_missing_file_is_named_with_its_home(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"quickdraw.*quickdraw\.withgoogle\.com"):
        outliers.quickdraw(tmp_path, "train")
