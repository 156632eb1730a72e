"""Rendering Fashion-MNIST images as photos."""

import numpy as np
import pytest

from preprocessing import preprocess
from preprocessing.pixels import Grey
from tests.preprocessing.garments import shirt, shoe
from tests.preprocessing.specs import FASHION
from training.rendering.photos import render_photo


@pytest.mark.parametrize("garment", [shirt(), shoe()])
def test_preprocessing_a_photo_restores_the_garment(garment: Grey) -> None:
    rng = np.random.default_rng(0)
    correlations = [
        float(np.corrcoef(preprocess(render_photo(garment, rng), FASHION).ravel(), garment.ravel())[0, 1]) for _ in range(80)
    ]
    assert np.median(correlations) > 0.96
    assert min(correlations) > 0.75


def test_photos_vary_in_size_background_and_colour() -> None:
    rng = np.random.default_rng(1)
    photos = [render_photo(shirt(), rng) for _ in range(60)]
    assert {photo.mode for photo in photos} == {"L", "RGB"}
    corners = [np.asarray(photo.convert("L"))[:3, :3].mean() for photo in photos]
    assert min(corners) < 10
    assert max(corners) > 220
    assert min(max(photo.size) for photo in photos) < 80
    assert max(max(photo.size) for photo in photos) > 300


def test_same_seed_gives_the_same_photo() -> None:
    one, other = (render_photo(shoe(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_blank_image_gives_a_photo_of_the_background() -> None:
    photo = render_photo(np.zeros((28, 28), dtype=np.uint8), np.random.default_rng(0))
    assert min(photo.size) > 40
