import numpy as np
import pytest
from PIL import Image, ImageDraw

from preprocessing.geometry import eroded, fit, pen_width, spread


def bar(width: int) -> Image.Image:
    """An upright bar of ink in a box of 20x20."""
    image = Image.new("L", (20, 20))
    ImageDraw.Draw(image).rectangle((4, 0, 3 + width, 19), fill=255)
    return image


@pytest.mark.parametrize("width", [2, 3, 4])
def test_pen_width_of_a_bar(width: int) -> None:
    assert pen_width(bar(width)) == pytest.approx(width, rel=0.2)


def test_a_faint_stroke_counts_as_a_thin_one() -> None:
    assert pen_width(bar(2).point(lambda level: level // 2)) == pytest.approx(pen_width(bar(2)) / 2, rel=0.02)


@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_ink_grows_on_all_sides_into_an_octagon(radius: int) -> None:
    dot = Image.new("L", (1, 1), 200)
    grown = np.asarray(spread(dot, radius))
    assert grown.shape == (2 * radius + 1, 2 * radius + 1)
    assert (grown[radius] == 200).all()
    assert (grown[:, radius] == 200).all()
    assert (grown == grown.T).all()
    assert (grown == grown[::-1]).all()


def test_eroding_undoes_growing() -> None:
    for radius in (1, 2):
        assert eroded(spread(bar(4).crop((4, 0, 8, 20)), radius), radius).size == (4, 20)


def test_what_would_vanish_stays() -> None:
    assert eroded(bar(2), 5) == bar(2)


def test_the_longer_side_fills_the_box() -> None:
    assert fit(Image.new("L", (300, 100), 255), 20).size == (20, 7)
    assert fit(Image.new("L", (1, 900), 255), 20).size == (1, 20)
