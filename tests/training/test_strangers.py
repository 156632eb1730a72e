"""training.strangers: what a model is shown to doubt, and what it never sees."""

from pathlib import Path

import numpy as np
import pytest

from training import drawings, strangers
from training.datasets import Labelled, emnist
from training.drawings import Doodle
from training.frames import Pictures
from training.splits import Part

PARTS: tuple[Part, ...] = ("train", "validation", "test")


def levels(pictures: Pictures, place: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(list(pictures.images())[place])


def test_every_word_belongs_to_one_part_and_ambiguous_ones_to_none(data: Path) -> None:
    found = {part: {doodle.word for doodle in strangers.doodles(data, part)} for part in PARTS}
    assert all(found.values())
    everything = [word for words in found.values() for word in words]
    assert len(everything) == len(set(everything))
    assert not {"circle", "zigzag"} & set(everything)
    assert not found["train"] & strangers.LIKE_DIGITS


def test_half_of_the_words_train() -> None:
    words = [f"word {number}" for number in range(2000)]
    shares = {part: sum(strangers.part_of_word(word) == part for word in words) / 2000 for part in PARTS}
    assert shares == pytest.approx({"train": 0.5, "validation": 0.2, "test": 0.3}, abs=0.04)


def test_a_doodle_of_dots_is_drawn() -> None:
    dot = Doodle("dot", "1", [np.zeros((1, 2))])
    assert np.asarray(strangers.doodled(dot, np.random.default_rng(0))).max() > 60


@pytest.mark.parametrize("strokes", [1, 3])
def test_a_scribble_has_ink(strokes: int) -> None:
    assert np.asarray(strangers.scribbled(strokes, np.random.default_rng(1))).max() > 60


def test_only_characters_of_some_classes_are_taken_and_every_second_of_them() -> None:
    labels = np.arange(36).repeat(2)
    images = labels.astype(np.uint8).repeat(784).reshape(72, 28, 28)
    letters = strangers.unlike(Labelled(images, labels), strangers.UNLIKE_DIGITS)[:, 0, 0].tolist()
    assert [chr(ord("A") + label - 10) for label in letters] == list("EHKMNWX")
    digits = strangers.unlike(Labelled(images, labels), strangers.UNLIKE_LETTERS)[:, 0, 0].tolist()
    assert digits == [3, 4, 7]


def test_what_is_shown_is_of_no_class_and_holds_ink(data: Path) -> None:
    letters = strangers.unlike(emnist(data), strangers.UNLIKE_DIGITS)
    shown = strangers.shown(data, letters, seed=5)
    assert set(shown) == {"doodles", "other characters", "scribbles"}
    for pictures in shown.values():
        assert (pictures.labels == strangers.OUTLIER).all() and len(pictures.sources) == len(pictures)
        some = Pictures(pictures.make, pictures.sources[:5], pictures.labels[:5], pictures.seed)
        assert all(np.asarray(image).max() > 60 for image in some.images())
    words = {doodle.word for doodle in shown["doodles"].sources}
    assert words == {doodle.word for doodle in strangers.doodles(data, "train")}


def test_what_is_never_shown_is_of_other_words_and_archives(data: Path) -> None:
    validation, test = (strangers.never_shown(data, part) for part in PARTS[1:])
    assert set(validation) == set(test) == {"Quick, Draw! (other words)", "Omniglot (not Latin)", "Fashion-MNIST"}
    words = [{doodle.word for doodle in part["Quick, Draw! (other words)"].sources} for part in (validation, test)]
    assert not words[0] & words[1]
    assert not (words[0] | words[1]) & {doodle.word for doodle in strangers.doodles(data, "train")}
    first = drawings.omniglot(data, "images_background_small1").images
    assert np.array_equal(levels(validation["Omniglot (not Latin)"]), 255 - first[0])
    assert len(test["Fashion-MNIST"]) == 80 and (test["Fashion-MNIST"].labels == strangers.OUTLIER).all()


def test_clothes_are_as_many_as_wanted_and_the_same_ones_each_time(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "CLOTHES", 7)
    first, again = (strangers.never_shown(data, "test")["Fashion-MNIST"] for _ in range(2))
    assert len(first) == 7 and np.array_equal(first.sources, again.sources)


def test_signs_unlike_ours_are_by_the_people_of_one_part_and_light_on_dark(data: Path) -> None:
    validation, test = (strangers.signs_unlike_ours(data, part)["Omniglot (unlike our letters)"] for part in PARTS[1:])
    assert len(validation) and len(test)
    assert levels(validation).mean() < 127
    assert np.array_equal(np.asarray(test.sources), 255 - drawings.signs(data).by("test").images)


def test_a_row_is_of_two_to_four_characters_beside_each_other(data: Path) -> None:
    characters, hand = emnist(data).images[:4], np.random.default_rng(0)
    rows = [strangers.row(characters, hand) for _ in range(40)]
    widths = [row.width / row.height for row in rows]
    assert min(widths) < 2 and max(widths) > 2.9
    for row in rows:
        ink = np.asarray(row)
        assert row.mode == "L" and ink[:, : row.height].max() > 60 and ink[:, -row.height :].max() > 60
