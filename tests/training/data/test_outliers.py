"""Outliers: those that models are trained with, and those that are never trained on."""

from pathlib import Path

import numpy as np
import pytest

from training.data import drawings, outliers
from training.data.datasets import LabelledImages, emnist
from training.data.drawings import Doodle
from training.data.image_sets import ImageSet
from training.data.splits import Split

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def levels(images: ImageSet, place: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(list(images.images())[place])


def test_every_word_is_in_one_split_and_ambiguous_words_in_none(data: Path) -> None:
    found = {split: {doodle.word for doodle in outliers.doodles(data, split)} for split in SPLITS}
    assert all(found.values())
    everything = [word for words in found.values() for word in words]
    assert len(everything) == len(set(everything))
    assert not {"circle", "zigzag"} & set(everything)
    assert not found["train"] & outliers.LIKE_DIGITS


def test_words_are_split_50_20_30() -> None:
    words = [f"word {number}" for number in range(2000)]
    shares = {split: sum(outliers.split_of_word(word) == split for word in words) / 2000 for split in SPLITS}
    assert shares == pytest.approx({"train": 0.5, "validation": 0.2, "test": 0.3}, abs=0.04)


def test_doodle_of_a_dot_has_ink() -> None:
    dot = Doodle("dot", "1", [np.zeros((1, 2))])
    assert np.asarray(outliers.render_doodle(dot, np.random.default_rng(0))).max() > 60


@pytest.mark.parametrize("strokes", [1, 3])
def test_scribble_has_ink(strokes: int) -> None:
    assert np.asarray(outliers.render_scribble(strokes, np.random.default_rng(1))).max() > 60


def test_every_second_character_of_some_classes_is_selected() -> None:
    labels = np.arange(36).repeat(2)
    images = labels.astype(np.uint8).repeat(784).reshape(72, 28, 28)
    letters = outliers.every_second_of(LabelledImages(images, labels), outliers.LETTERS_UNLIKE_DIGITS)[:, 0, 0].tolist()
    assert [chr(ord("A") + label - 10) for label in letters] == list("EHKMNWX")
    digits = outliers.every_second_of(LabelledImages(images, labels), outliers.DIGITS_UNLIKE_LETTERS)[:, 0, 0].tolist()
    assert digits == [3, 4, 7]


def test_training_outliers_have_the_outlier_class_and_ink(data: Path) -> None:
    letters = outliers.every_second_of(emnist(data), outliers.LETTERS_UNLIKE_DIGITS)
    trained_on = outliers.training_outliers(data, letters, seed=5)
    assert set(trained_on) == {"doodles", "other characters", "scribbles"}
    for images in trained_on.values():
        assert (images.labels == outliers.OUTLIER).all() and len(images.sources) == len(images)
        some = ImageSet(images.render, images.sources[:5], images.labels[:5], images.seed)
        assert all(np.asarray(image).max() > 60 for image in some.images())
    words = {doodle.word for doodle in trained_on["doodles"].sources}
    assert words == {doodle.word for doodle in outliers.doodles(data, "train")}


def test_unseen_outliers_are_of_other_words_and_archives(data: Path) -> None:
    validation, test = (outliers.unseen_outliers(data, split) for split in SPLITS[1:])
    assert set(validation) == set(test) == {"Quick, Draw! (other words)", "Omniglot (not Latin)", "Fashion-MNIST"}
    words = [{doodle.word for doodle in split["Quick, Draw! (other words)"].sources} for split in (validation, test)]
    assert not words[0] & words[1]
    assert not (words[0] | words[1]) & {doodle.word for doodle in outliers.doodles(data, "train")}
    first = drawings.omniglot(data, "images_background_small1").images
    assert np.array_equal(levels(validation["Omniglot (not Latin)"]), 255 - first[0])
    assert len(test["Fashion-MNIST"]) == 80 and (test["Fashion-MNIST"].labels == outliers.OUTLIER).all()


def test_number_of_clothes_is_limited_and_the_sample_is_fixed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outliers, "CLOTHES", 7)
    first, again = (outliers.unseen_outliers(data, "test")["Fashion-MNIST"] for _ in range(2))
    assert len(first) == 7 and np.array_equal(first.sources, again.sources)


def test_unfamiliar_symbols_are_of_one_split_and_light_on_dark(data: Path) -> None:
    validation, test = (outliers.unfamiliar_symbols(data, split)["Omniglot (unlike our letters)"] for split in SPLITS[1:])
    assert len(validation) and len(test)
    assert levels(validation).mean() < 127
    assert np.array_equal(np.asarray(test.sources), 255 - drawings.symbols(data).in_split("test").images)


def test_row_has_two_to_four_characters_side_by_side(data: Path) -> None:
    characters, rng = emnist(data).images[:4], np.random.default_rng(0)
    rows = [outliers.render_row(characters, rng) for _ in range(40)]
    widths = [row.width / row.height for row in rows]
    assert min(widths) < 2 and max(widths) > 2.9
    for row in rows:
        ink = np.asarray(row)
        assert row.mode == "L" and ink[:, : row.height].max() > 60 and ink[:, -row.height :].max() > 60
