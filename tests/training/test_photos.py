import numpy as np
import pytest

from preprocessing import preprocess
from preprocessing.pixels import Grey
from tests.preprocessing.garments import shirt, shoe
from tests.preprocessing.specs import FASHION
from training.photos import photographed


@pytest.mark.parametrize("thing", [shirt(), shoe()])
def test_a_photographed_thing_comes_back_nearly_as_it_was(thing: Grey) -> None:
    hand = np.random.default_rng(0)
    alike = [float(np.corrcoef(preprocess(photographed(thing, hand), FASHION).ravel(), thing.ravel())[0, 1]) for _ in range(80)]
    assert np.median(alike) > 0.96
    assert min(alike) > 0.75


def test_photos_are_of_many_sizes_on_light_and_dark_ground_in_grey_and_colour() -> None:
    hand = np.random.default_rng(1)
    photos = [photographed(shirt(), hand) for _ in range(60)]
    assert {photo.mode for photo in photos} == {"L", "RGB"}
    corners = [np.asarray(photo.convert("L"))[:3, :3].mean() for photo in photos]
    assert min(corners) < 10
    assert max(corners) > 220
    assert min(max(photo.size) for photo in photos) < 80
    assert max(max(photo.size) for photo in photos) > 300


def test_the_same_hand_takes_the_same_photo() -> None:
    one, other = (photographed(shoe(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_an_empty_picture_is_a_photo_of_the_ground() -> None:
    photo = photographed(np.zeros((28, 28), dtype=np.uint8), np.random.default_rng(0))
    assert min(photo.size) > 40
