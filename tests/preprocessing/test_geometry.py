import numpy as np
import pytest

from preprocessing.geometry import eroded, fit, pen_width, spread
from preprocessing.levels import Grey, picture


def bar(width: int) -> Grey:
    """An upright bar of ink in a box of 20x20."""
    ink = np.zeros((20, 20), dtype=np.uint8)
    ink[:, 4 : 4 + width] = 255
    return ink


def full(width: int, height: int) -> Grey:
    return np.full((height, width), 255, dtype=np.uint8)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_pen_width_of_a_bar(width: int) -> None:
    assert pen_width(bar(width)) == pytest.approx(width, rel=0.2)


def test_a_faint_stroke_counts_as_a_thin_one() -> None:
    assert pen_width(bar(2) // 2) == pytest.approx(pen_width(bar(2)) / 2, rel=0.02)


@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_ink_grows_on_all_sides_into_an_octagon(radius: int) -> None:
    grown = spread(np.full((1, 1), 200, dtype=np.uint8), radius)
    assert grown.shape == (2 * radius + 1, 2 * radius + 1)
    assert (grown[radius] == 200).all()
    assert (grown[:, radius] == 200).all()
    assert (grown == grown.T).all()
    assert (grown == grown[::-1]).all()


def test_eroding_undoes_growing() -> None:
    for radius in (1, 2):
        assert eroded(spread(full(4, 20), radius), radius).shape == (20, 4)


def test_what_would_vanish_stays() -> None:
    np.testing.assert_array_equal(eroded(bar(2), 5), bar(2))


def test_the_longer_side_fills_the_box() -> None:
    assert fit(picture(full(300, 100)), 20).shape == (7, 20)
    assert fit(picture(full(1, 900)), 20).shape == (20, 1)


def test_an_empty_picture_stays_empty() -> None:
    assert not fit(picture(np.zeros((90, 60), dtype=np.uint8)), 20).any()
