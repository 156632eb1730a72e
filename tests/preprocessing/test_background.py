"""Estimation of the background from the border of an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocessing.background import MIN_CONTRAST, fit_background, uniform_level

SIDE = 100


def lit(across: float, down: float, bend: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Light of 150 at the middle that falls off to the sides."""
    xs = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    return 150 + across * xs + (down * xs + bend * xs * xs)[:, None]


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-80, 80))
def test_fit_ignores_an_object_that_touches_the_border(across: float, down: float, bend: float) -> None:
    expected = lit(across, down, bend)
    pixels = expected.copy()
    pixels[40:, 25:75] = 10
    background = fit_background(pixels.round().astype(np.uint8))
    assert np.abs(background.levels(SIDE, SIDE) - expected).max() < 3
    assert background.tolerance == MIN_CONTRAST


def test_tolerance_follows_the_noise() -> None:
    pixels = lit(30, -30, 0) + np.random.default_rng(0).normal(0, 5, (SIDE, SIDE))
    assert fit_background(pixels.round().astype(np.uint8)).tolerance == pytest.approx(20, rel=0.15)


def test_background_of_a_crop_and_of_the_negative() -> None:
    background = fit_background(lit(40, -30, 20).round().astype(np.uint8))
    whole = background.levels(SIDE, SIDE)
    np.testing.assert_allclose(
        background.cropped((10, 20, 60, 90), (SIDE, SIDE)).levels(70, 50), whole[20:90, 10:60], atol=0.01
    )
    np.testing.assert_allclose(background.inverted().levels(SIDE, SIDE), 255 - whole, atol=0.01)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_uniform_background_is_found_from_the_border(level: int) -> None:
    pixels = np.full((SIDE, SIDE), level, dtype=np.uint8)
    assert uniform_level(Image.fromarray(pixels)) == level
    pixels[30:, 20:90] = 60
    assert uniform_level(Image.fromarray(pixels)) == level


@pytest.mark.parametrize("noise", [1, 3])
def test_noisy_background_is_not_uniform(noise: float) -> None:
    for level in (200, 255):
        pixels = np.clip(np.random.default_rng(0).normal(level, noise, (SIDE, SIDE)), 0, 255)
        assert uniform_level(Image.fromarray(pixels.round().astype(np.uint8))) is None
