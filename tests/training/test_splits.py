"""training.splits: parts that share nothing, by key, person or chance."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.sources import Images, again, written
from training.copies import near_copies
from training.datasets import DataError, Labelled, identical
from training.splits import apart, chosen_places, held_out, of_each_class, part_of


def signs(count: int, kinds: int = 3) -> Labelled:
    """So many signs of each kind, each by another hand."""
    hand = np.random.default_rng(0)
    labels = np.tile(np.arange(kinds, dtype=np.int64), count)
    return Labelled(np.stack([written(int(label), hand) for label in labels]), labels)


def saved_again(images: Images) -> Images:
    hand = np.random.default_rng(1)
    return np.stack([again(picture, hand) for picture in images])


def test_of_ten_keys_seven_train_one_validates_and_two_test() -> None:
    parts = Counter(part_of(str(5_000_000_000_000_000 + 7 * number)) for number in range(5000))
    assert parts["train"] == pytest.approx(3500, rel=0.05)
    assert parts["validation"] == pytest.approx(500, rel=0.15)
    assert parts["test"] == pytest.approx(1000, rel=0.1)


def test_the_parts_hold_as_many_of_each_class_as_asked_for_and_share_nothing() -> None:
    whole = signs(30)
    training, validation, test = held_out(whole, (4, 6), seed=3)
    assert [np.bincount(part.labels).tolist() for part in (training, validation, test)] == [[20] * 3, [4] * 3, [6] * 3]
    for one, other in ((training, validation), (training, test), (validation, test)):
        assert not near_copies(one.images, other.images).any()
    everything = np.concatenate([part.images for part in (training, validation, test)])
    assert identical(whole.images, everything).all()


def test_the_split_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    whole = signs(30)
    first, again_, other = (held_out(whole, (5,), seed) for seed in (3, 3, 4))
    assert np.array_equal(first[1].images, again_[1].images) and np.array_equal(first[0].images, again_[0].images)
    assert not np.array_equal(first[1].images, other[1].images)


def test_pictures_go_with_their_labels() -> None:
    whole = signs(12)
    places = chosen_places(whole, (2, 3), seed=0)
    assert sorted(np.concatenate(places).tolist()) == list(range(36))
    for place, part in zip(places, held_out(whole, (2, 3), seed=0), strict=True):
        assert np.array_equal(part.images, whole.images[place]) and np.array_equal(part.labels, whole.labels[place])


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_saved_twice_stays_on_one_side(seed: int) -> None:
    once = signs(20)
    whole = Labelled(np.concatenate([once.images, saved_again(once.images)]), np.tile(once.labels, 2))
    training, validation, test = held_out(whole, (6, 8), seed)
    assert len(test) == 24 and len(validation) < 18 and len(training) < 78
    for one, other in ((training, validation), (training, test), (validation, test)):
        assert not near_copies(one.images, other.images).any()
    # What is left out is in a part that judges: nothing is lost.
    kept = np.concatenate([part.images for part in (training, validation, test)])
    assert near_copies(once.images, kept).all()


def test_copies_are_left_out_of_the_earlier_part_and_the_last_stays_whole() -> None:
    whole = signs(9)
    training, validation, test = (whole.take(np.arange(place, 27, 3)) for place in range(3))
    planted = Labelled(
        np.concatenate([training.images, saved_again(validation.images[:2]), saved_again(test.images[:3])]),
        np.concatenate([training.labels, validation.labels[:2], test.labels[:3]]),
    )
    judged = Labelled(np.concatenate([validation.images, test.images[4:5]]), np.append(validation.labels, test.labels[4]))
    parts = apart([planted, judged, test])
    for part, expected in zip(parts, (training, validation, test), strict=True):
        assert np.array_equal(part.images, expected.images) and np.array_equal(part.labels, expected.labels)


def test_more_cannot_be_held_out_than_there_is() -> None:
    whole = signs(5)
    with pytest.raises(DataError, match="5 pictures of each class cannot be held out: one has only 5"):
        held_out(whole, (2, 3), seed=0)
    assert [len(part) for part in held_out(whole, (2, 2), seed=0)] == [3, 6, 6]


def test_the_smallest_class_decides() -> None:
    whole = signs(5).take(np.arange(14))
    with pytest.raises(DataError, match="one has only 4"):
        held_out(whole, (4,), seed=0)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(1, 12), st.integers(0, 99))
def test_as_many_of_each_class_are_chosen_and_none_twice_while_there_are_others(
    labels: list[int], count: int, seed: int
) -> None:
    classes = np.array(labels, dtype=np.int64)
    chosen = of_each_class(classes, count, seed)
    for label in np.unique(classes):
        places = Counter(place for place in chosen.tolist() if classes[place] == label)
        there = labels.count(int(label))
        assert sum(places.values()) == count and len(places) == min(count, there)
        assert max(places.values()) == -(-count // there)
    assert len(chosen) == count * len(set(labels))
    assert np.array_equal(chosen, of_each_class(classes, count, seed))
