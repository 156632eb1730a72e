import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocessing.ground import LEAST_CONTRAST, even, fitted

SIDE = 100


def lit(across: float, down: float, bend: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Light of 150 at the middle that falls off to the sides."""
    xs = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    return 150 + across * xs + (down * xs + bend * xs * xs)[:, None]


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-80, 80))
def test_a_surface_is_found_around_a_thing_that_reaches_out_of_the_picture(across: float, down: float, bend: float) -> None:
    expected = lit(across, down, bend)
    pixels = expected.copy()
    pixels[40:, 25:75] = 10
    ground = fitted(pixels.round().astype(np.uint8))
    assert np.abs(ground.over(SIDE, SIDE) - expected).max() < 3
    assert ground.tolerance == LEAST_CONTRAST


def test_noise_is_tolerated() -> None:
    pixels = lit(30, -30, 0) + np.random.default_rng(0).normal(0, 5, (SIDE, SIDE))
    assert fitted(pixels.round().astype(np.uint8)).tolerance == pytest.approx(20, rel=0.15)


def test_the_ground_of_a_part_and_of_the_negative() -> None:
    ground = fitted(lit(40, -30, 20).round().astype(np.uint8))
    whole = ground.over(SIDE, SIDE)
    np.testing.assert_allclose(ground.within((10, 20, 60, 90), (SIDE, SIDE)).over(70, 50), whole[20:90, 10:60], atol=0.01)
    np.testing.assert_allclose(ground.negative().over(SIDE, SIDE), 255 - whole, atol=0.01)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_ground_has_one_level_wherever_the_border_shows_it(level: int) -> None:
    pixels = np.full((SIDE, SIDE), level, dtype=np.uint8)
    assert even(Image.fromarray(pixels)) == level
    pixels[30:, 20:90] = 60
    assert even(Image.fromarray(pixels)) == level


@pytest.mark.parametrize("noise", [1, 3])
def test_noise_is_not_even_even_where_it_is_cut_off_at_white(noise: float) -> None:
    for level in (200, 255):
        pixels = np.clip(np.random.default_rng(0).normal(level, noise, (SIDE, SIDE)), 0, 255)
        assert even(Image.fromarray(pixels.round().astype(np.uint8))) is None
