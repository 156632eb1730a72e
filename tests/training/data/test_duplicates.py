"""Finding duplicates: an image saved again is found, another drawing of the same symbol is not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.training.synthetic_data import Images, draw_garment, draw_symbol, near_copy
from training.data.duplicates import difference, duplicate_pairs, near_duplicates, perceptual_hash


def symbols(count: int, side: int = 28) -> Images:
    rng = np.random.default_rng(count)
    return np.stack([draw_symbol(number % 20, rng, side) for number in range(count)])


def saved_as_jpeg(image: Images) -> Images:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def dimmed(image: Images) -> Images:
    return (image * 0.95).astype(np.uint8)


def one_level_darker(image: Images) -> Images:
    return (np.maximum(image, 1) - 1).astype(np.uint8)


def one_level_lighter(image: Images) -> Images:
    return np.where(image > 0, np.minimum(image, 254) + np.uint8(1), image)


@pytest.mark.parametrize("save", [saved_as_jpeg, dimmed, one_level_darker, one_level_lighter])
@pytest.mark.parametrize("side", [28, 70, 105])
def test_image_saved_again_is_a_duplicate(save: Callable[[Images], Images], side: int) -> None:
    known = symbols(40, side)
    copies = np.stack([save(image) for image in known])
    assert {(place, place) for place in range(40)} == set(duplicate_pairs(copies, known))


@pytest.mark.parametrize("side", [28, 70, 105])
def test_another_drawing_of_a_symbol_is_no_duplicate(side: int) -> None:
    rng = np.random.default_rng(0)
    one, other = (np.stack([draw_symbol(7, rng, side) for _ in range(60)]) for _ in range(2))
    assert not near_duplicates(one, other).any()


def test_duplicates_are_found_among_many_images_by_index() -> None:
    known = symbols(1200)
    rng = np.random.default_rng(1)
    fresh = np.stack([draw_symbol(3, rng), near_copy(known[1100], rng), draw_symbol(4, rng), near_copy(known[2], rng)])
    assert duplicate_pairs(fresh, known) == [(1, 1100), (3, 2)]
    assert near_duplicates(fresh, known).tolist() == [False, True, False, True]
    assert near_duplicates(known, fresh).nonzero()[0].tolist() == [2, 1100]


def test_inverted_images_are_duplicates() -> None:
    known, rng = symbols(40), np.random.default_rng(2)
    copies = np.stack([near_copy(image, rng) for image in known])
    found = set(duplicate_pairs(copies, known))
    assert len(found) == 40
    for one, other in ((255 - copies, known), (copies, 255 - known), (255 - copies, 255 - known)):
        assert set(duplicate_pairs(one, other)) == found


def test_darker_copy_of_an_object_that_fills_half_of_the_image_is_a_duplicate() -> None:
    # Means from 121 to 128: whether an image is inverted must not depend on its mean.
    garment = np.zeros((28, 28), dtype=np.uint8)
    garment[4:24, 3:18] = 240
    garment[4:20, 18:25] = 255
    shades = np.stack([(garment * share).astype(np.uint8) for share in np.linspace(0.95, 1.0, 9)])
    assert shades[0].mean() < 127 < shades[-1].mean()
    assert len(duplicate_pairs(shades, shades)) == 81


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.93, 1), st.booleans(), st.booleans())
def test_any_image_with_noise_is_a_duplicate_of_itself(number: int, seed: int, share: float, dark: bool, garment: bool) -> None:
    rng = np.random.default_rng(seed)
    image = (draw_garment if garment else draw_symbol)(number, rng)
    noise = rng.integers(-3, 4, image.shape) * (image > 0)
    saved = (share * image + noise).clip(0, 255).astype(np.uint8)
    assert near_duplicates((255 - image if dark else image)[None], saved[None]).all()


@given(
    arrays.arrays(np.uint8, (3, 9, 11), elements=st.integers(0, 255)),
    arrays.arrays(np.uint8, (3, 9, 11), elements=st.integers(0, 255)),
)
def test_difference_is_a_distance(one: Images, other: Images) -> None:
    assert np.array_equal(difference(one, other), difference(other, one))
    assert (difference(one, other) >= 0).all() and (difference(one, other) <= 1).all()
    assert (difference(one, one) == 0).all()


def test_difference_is_a_share_of_the_light() -> None:
    one, other = np.zeros((2, 1, 28, 28), dtype=np.uint8)
    one[0, 5, 5:9] = 200
    other[0, 5, 6:10] = 200
    assert difference(one, other).tolist() == [pytest.approx(2 / 5)]


def test_hash_has_64_bits_and_depends_on_the_whole_image() -> None:
    hashes = perceptual_hash(np.concatenate([symbols(40), np.stack([draw_garment(3, np.random.default_rng(0))])]))
    assert hashes.dtype == np.uint64 and len(set(hashes.tolist())) == 41
    ones = np.bitwise_count(hashes)
    assert ones.min() >= 20 and ones.max() <= 32


def test_empty_sets_have_no_duplicates() -> None:
    nothing = np.zeros((0, 28, 28), dtype=np.uint8)
    assert duplicate_pairs(nothing, symbols(3)) == duplicate_pairs(symbols(3), nothing) == []
    assert near_duplicates(symbols(3), nothing).tolist() == [False] * 3
