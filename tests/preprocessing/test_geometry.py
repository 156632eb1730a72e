"""Scaling, stroke width, dilation and erosion of ink."""

import numpy as np
import pytest

from preprocessing.geometry import dilate, erode, scale_to_box, stroke_width
from preprocessing.pixels import Grey, to_image


def bar(width: int) -> Grey:
    """An upright bar of ink in a box of 20x20."""
    ink = np.zeros((20, 20), dtype=np.uint8)
    ink[:, 4 : 4 + width] = 255
    return ink


def full(width: int, height: int) -> Grey:
    return np.full((height, width), 255, dtype=np.uint8)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_stroke_width_of_a_bar(width: int) -> None:
    assert stroke_width(bar(width)) == pytest.approx(width, rel=0.2)


def test_faint_stroke_measures_as_thin() -> None:
    assert stroke_width(bar(2) // 2) == pytest.approx(stroke_width(bar(2)) / 2, rel=0.02)


@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_dilation_is_an_octagon(radius: int) -> None:
    dilated = dilate(np.full((1, 1), 200, dtype=np.uint8), radius)
    assert dilated.shape == (2 * radius + 1, 2 * radius + 1)
    assert (dilated[radius] == 200).all()
    assert (dilated[:, radius] == 200).all()
    assert (dilated == dilated.T).all()
    assert (dilated == dilated[::-1]).all()


def test_erosion_reverses_dilation() -> None:
    for radius in (1, 2):
        assert erode(dilate(full(4, 20), radius), radius).shape == (20, 4)


def test_erosion_never_removes_all_ink() -> None:
    np.testing.assert_array_equal(erode(bar(2), 5), bar(2))


def test_longer_side_fills_the_box() -> None:
    assert scale_to_box(to_image(full(300, 100)), 20).shape == (7, 20)
    assert scale_to_box(to_image(full(1, 900)), 20).shape == (20, 1)


def test_empty_image_stays_empty() -> None:
    assert not scale_to_box(to_image(np.zeros((90, 60), dtype=np.uint8)), 20).any()
