"""Cuts through ink: between what touches, at most so many, from the left to the right."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from preprocessing.pixels import Grey, to_image
from preprocessing.segmentation.cuts import CLOSE, find_cuts

PEN = 6.0
MOST = 8


def rings() -> Image.Image:
    """Two rings of 60 pixels, joined by a stroke from column 60 to 76."""
    image = Image.new("L", (136, 60))
    draw = ImageDraw.Draw(image)
    for left in (0, 76):
        draw.ellipse((left, 0, left + 60, 59), outline=255, width=6)
    draw.line((58, 30, 78, 30), fill=255, width=6)
    return image


def test_two_rings_are_cut_where_they_are_joined() -> None:
    cuts = find_cuts(rings(), PEN, MOST)
    least = cuts.crossed.index(min(cuts.crossed))
    assert 58 <= int(cuts.paths[least, 30]) <= 78


def test_a_slanted_gap_is_followed_and_crosses_no_ink() -> None:
    image = Image.new("L", (100, 80))
    draw = ImageDraw.Draw(image)
    draw.line((60, 0, 20, 79), fill=255, width=6)
    draw.line((80, 0, 40, 79), fill=255, width=6)
    cuts = find_cuts(image, PEN, MOST)
    between = min(range(len(cuts.crossed)), key=lambda place: abs(int(cuts.paths[place, 40]) - 50))
    path, pixels = cuts.paths[between].tolist(), np.asarray(image)
    assert cuts.crossed[between] < 1
    assert path[5] > path[75] + 20
    assert not any(pixels[row, min(path[row], 99)] for row in range(6, 74))


def test_limit_on_the_number_of_cuts_is_kept() -> None:
    assert len(find_cuts(rings(), PEN, 1).paths) == 1


def test_a_bar_of_many_characters_is_cut_at_any_cost() -> None:
    bar = Image.new("L", (300, 60))
    ImageDraw.Draw(bar).rectangle((0, 5, 299, 54), fill=255)
    cuts = find_cuts(bar, PEN, MOST)
    assert len(cuts.crossed) == MOST and min(cuts.crossed) > 3
    assert not find_cuts(bar.crop((0, 0, 60, 60)), PEN, MOST).crossed


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 200))), st.floats(1, 12))
def test_cuts_of_any_ink_are_few_go_from_top_to_bottom_and_lie_inside(ink: Grey, pen: float) -> None:
    height, width = ink.shape
    cuts = find_cuts(to_image(ink), pen, MOST)
    assert len(cuts.crossed) == len(cuts.paths) <= min(MOST, width / height / CLOSE + 1)
    assert cuts.paths.shape[1] == height
    assert ((cuts.paths >= 0) & (cuts.paths <= width)).all()
    middles = cuts.paths[:, height // 2].tolist()
    assert middles == sorted(middles)
