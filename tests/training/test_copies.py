"""training.copies: a picture saved again is found, another hand's is not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.training.sources import Images, again, garment, written
from training.copies import moved, near_copies, pairs, perceptual_hash


def signs(count: int, side: int = 28) -> Images:
    hand = np.random.default_rng(count)
    return np.stack([written(number % 20, hand, side) for number in range(count)])


def saved_as_jpeg(picture: Images) -> Images:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def dimmed(picture: Images) -> Images:
    return (picture * 0.95).astype(np.uint8)


def one_level_darker(picture: Images) -> Images:
    return (np.maximum(picture, 1) - 1).astype(np.uint8)


def one_level_lighter(picture: Images) -> Images:
    return np.where(picture > 0, np.minimum(picture, 254) + np.uint8(1), picture)


@pytest.mark.parametrize("save", [saved_as_jpeg, dimmed, one_level_darker, one_level_lighter])
@pytest.mark.parametrize("side", [28, 70, 105])
def test_a_picture_saved_again_is_found(save: Callable[[Images], Images], side: int) -> None:
    known = signs(40, side)
    copies = np.stack([save(picture) for picture in known])
    assert {(place, place) for place in range(40)} == set(pairs(copies, known))


@pytest.mark.parametrize("side", [28, 70, 105])
def test_the_same_sign_by_another_hand_is_another_picture(side: int) -> None:
    hand = np.random.default_rng(0)
    one, other = (np.stack([written(7, hand, side) for _ in range(60)]) for _ in range(2))
    assert not near_copies(one, other).any()


def test_copies_are_found_among_many_and_named_by_place() -> None:
    known = signs(1200)
    hand = np.random.default_rng(1)
    fresh = np.stack([written(3, hand), again(known[1100], hand), written(4, hand), again(known[2], hand)])
    assert pairs(fresh, known) == [(1, 1100), (3, 2)]
    assert near_copies(fresh, known).tolist() == [False, True, False, True]
    assert near_copies(known, fresh).nonzero()[0].tolist() == [2, 1100]


def test_it_makes_no_difference_whether_ink_is_white_or_black() -> None:
    known, hand = signs(40), np.random.default_rng(2)
    copies = np.stack([again(picture, hand) for picture in known])
    found = set(pairs(copies, known))
    assert len(found) == 40
    for one, other in ((255 - copies, known), (copies, 255 - known), (255 - copies, 255 - known)):
        assert set(pairs(one, other)) == found


def test_a_thing_that_fills_half_of_the_picture_is_found_when_it_is_a_little_darker() -> None:
    # Means from 121 to 128: which of two copies is light on black must not hang on which side of the middle they lie.
    thing = np.zeros((28, 28), dtype=np.uint8)
    thing[4:24, 3:18] = 240
    thing[4:20, 18:25] = 255
    shades = np.stack([(thing * share).astype(np.uint8) for share in np.linspace(0.95, 1.0, 9)])
    assert shades[0].mean() < 127 < shades[-1].mean()
    assert len(pairs(shades, shades)) == 81


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.93, 1), st.booleans(), st.booleans())
def test_whatever_is_drawn_is_a_copy_of_itself_but_for_noise(
    kind: int, seed: int, share: float, dark: bool, thing: bool
) -> None:
    hand = np.random.default_rng(seed)
    picture = (garment if thing else written)(kind, hand)
    noise = hand.integers(-3, 4, picture.shape) * (picture > 0)
    saved = (share * picture + noise).clip(0, 255).astype(np.uint8)
    assert near_copies((255 - picture if dark else picture)[None], saved[None]).all()


@given(
    arrays.arrays(np.uint8, (3, 9, 11), elements=st.integers(0, 255)),
    arrays.arrays(np.uint8, (3, 9, 11), elements=st.integers(0, 255)),
)
def test_the_share_of_light_that_moved_is_a_distance(one: Images, other: Images) -> None:
    assert np.array_equal(moved(one, other), moved(other, one))
    assert (moved(one, other) >= 0).all() and (moved(one, other) <= 1).all()
    assert (moved(one, one) == 0).all()


def test_the_share_of_light_that_moved() -> None:
    one, other = np.zeros((2, 1, 28, 28), dtype=np.uint8)
    one[0, 5, 5:9] = 200
    other[0, 5, 6:10] = 200
    assert moved(one, other).tolist() == [pytest.approx(2 / 5)]


def test_the_hash_is_of_64_bits_and_of_the_whole_picture() -> None:
    hashes = perceptual_hash(np.concatenate([signs(40), np.stack([garment(3, np.random.default_rng(0))])]))
    assert hashes.dtype == np.uint64 and len(set(hashes.tolist())) == 41
    ones = np.bitwise_count(hashes)
    assert ones.min() >= 20 and ones.max() <= 32


def test_without_pictures_nothing_is_a_copy() -> None:
    nothing = np.zeros((0, 28, 28), dtype=np.uint8)
    assert pairs(nothing, signs(3)) == pairs(signs(3), nothing) == []
    assert near_copies(signs(3), nothing).tolist() == [False] * 3
