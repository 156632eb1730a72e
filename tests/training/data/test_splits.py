"""Splits by key and at random, which share no image."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.synthetic_data import Images, draw_symbol, near_copy
from training.data.datasets import DataError, LabelledImages, identical
from training.data.duplicates import near_duplicates
from training.data.splits import random_split, sample_per_class, split_indices, split_of_key, without_duplicates


def symbols(count: int, classes: int = 3) -> LabelledImages:
    """``count`` drawings of each of a number of symbols."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(classes, dtype=np.int64), count)
    return LabelledImages(np.stack([draw_symbol(int(label), rng) for label in labels]), labels)


def near_copies(images: Images) -> Images:
    rng = np.random.default_rng(1)
    return np.stack([near_copy(image, rng) for image in images])


def test_keys_are_split_70_10_20() -> None:
    parts = Counter(split_of_key(str(5_000_000_000_000_000 + 7 * number)) for number in range(5000))
    assert parts["train"] == pytest.approx(3500, rel=0.05)
    assert parts["validation"] == pytest.approx(500, rel=0.15)
    assert parts["test"] == pytest.approx(1000, rel=0.1)


def test_held_out_sets_have_the_requested_size_and_share_no_image() -> None:
    whole = symbols(30)
    training, validation, test = random_split(whole, (4, 6), seed=3)
    assert [np.bincount(part.labels).tolist() for part in (training, validation, test)] == [[20] * 3, [4] * 3, [6] * 3]
    for one, other in ((training, validation), (training, test), (validation, test)):
        assert not near_duplicates(one.images, other.images).any()
    everything = np.concatenate([part.images for part in (training, validation, test)])
    assert identical(whole.images, everything).all()


def test_split_depends_on_the_seed_only() -> None:
    whole = symbols(30)
    first, repeated, other = (random_split(whole, (5,), seed) for seed in (3, 3, 4))
    assert np.array_equal(first[1].images, repeated[1].images) and np.array_equal(first[0].images, repeated[0].images)
    assert not np.array_equal(first[1].images, other[1].images)


def test_split_indices_select_the_images_of_random_split() -> None:
    whole = symbols(12)
    places = split_indices(whole, (2, 3), seed=0)
    assert sorted(np.concatenate(places).tolist()) == list(range(36))
    for place, part in zip(places, random_split(whole, (2, 3), seed=0), strict=True):
        assert np.array_equal(part.images, whole.images[place]) and np.array_equal(part.labels, whole.labels[place])


@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_stay_in_one_set(seed: int) -> None:
    once = symbols(20)
    whole = LabelledImages(np.concatenate([once.images, near_copies(once.images)]), np.tile(once.labels, 2))
    training, validation, test = random_split(whole, (6, 8), seed)
    assert len(test) == 24 and len(validation) < 18 and len(training) < 78
    for one, other in ((training, validation), (training, test), (validation, test)):
        assert not near_duplicates(one.images, other.images).any()
    # Removed images have a duplicate in a held-out set: no image is lost.
    kept = np.concatenate([part.images for part in (training, validation, test)])
    assert near_duplicates(once.images, kept).all()


def test_duplicates_are_removed_from_earlier_sets_and_the_last_stays_complete() -> None:
    whole = symbols(9)
    training, validation, test = (whole.take(np.arange(place, 27, 3)) for place in range(3))
    with_copies = LabelledImages(
        np.concatenate([training.images, near_copies(validation.images[:2]), near_copies(test.images[:3])]),
        np.concatenate([training.labels, validation.labels[:2], test.labels[:3]]),
    )
    held_out = LabelledImages(
        np.concatenate([validation.images, test.images[4:5]]), np.append(validation.labels, test.labels[4])
    )
    parts = without_duplicates([with_copies, held_out, test])
    for part, expected in zip(parts, (training, validation, test), strict=True):
        assert np.array_equal(part.images, expected.images) and np.array_equal(part.labels, expected.labels)


def test_holding_out_a_whole_class_raises_data_error() -> None:
    whole = symbols(5)
    with pytest.raises(DataError, match="Cannot hold out 5 images of each class: one class has only 5"):
        random_split(whole, (2, 3), seed=0)
    assert [len(part) for part in random_split(whole, (2, 2), seed=0)] == [3, 6, 6]


def test_smallest_class_limits_what_can_be_held_out() -> None:
    whole = symbols(5).take(np.arange(14))
    with pytest.raises(DataError, match="one class has only 4"):
        random_split(whole, (4,), seed=0)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(1, 12), st.integers(0, 99))
def test_sample_per_class_repeats_images_only_when_a_class_is_too_small(labels: list[int], count: int, seed: int) -> None:
    classes = np.array(labels, dtype=np.int64)
    chosen = sample_per_class(classes, count, seed)
    for label in np.unique(classes):
        places = Counter(place for place in chosen.tolist() if classes[place] == label)
        there = labels.count(int(label))
        assert sum(places.values()) == count and len(places) == min(count, there)
        assert max(places.values()) == -(-count // there)
    assert len(chosen) == count * len(set(labels))
    assert np.array_equal(chosen, sample_per_class(classes, count, seed))
