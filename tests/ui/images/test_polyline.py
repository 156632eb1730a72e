"""Pictures of strokes: the whole drawing, and the drawing while it grows."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from ui.images.polyline import Polyline, render, render_steps, svg_path

LINE = Polyline(((40, 140), (240, 140)), 20, "#000000")
DOT = Polyline(((140, 40),), 30, "#ff0000")


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_stroke_has_its_width_its_colour_and_round_ends() -> None:
    picture = pixels(render([LINE, DOT], "#ffffff"))
    assert picture.shape == (280, 280, 3)
    assert (picture[140, 35:245] == 0).all()  # the ends are half the width longer than the points
    dark = picture[100:180, 140, 0] < 128
    assert abs(int(np.count_nonzero(dark)) - 20) <= 1
    assert tuple(picture[40, 140]) == (255, 0, 0)
    assert tuple(picture[0, 0]) == (255, 255, 255)


def test_wide_sheet_has_its_own_size() -> None:
    picture = pixels(render([Polyline(((500, 20), (540, 20)), 14, "#000000")], "#ffffff", (560, 320)))
    assert picture.shape == (320, 560, 3)
    assert tuple(picture[20, 520]) == (0, 0, 0)


def test_drawing_grows_step_by_step_to_the_whole() -> None:
    steps = list(render_steps([LINE, DOT], "#ffffff", 5))
    ink = [int((pixels(png) < 128).any(axis=2).sum()) for png in steps]
    assert len(steps) == 5
    assert ink == sorted(ink)
    assert ink[0] < ink[-1] / 3
    whole = pixels(render([LINE, DOT], "#ffffff"))
    assert np.abs(pixels(steps[-1]).astype(int) - whole).mean() < 0.1  # the edges are rounded where a step ended


def test_more_steps_than_points() -> None:
    assert len(list(render_steps([DOT], "#ffffff", 24))) == 24


def test_svg_path_of_a_dot_is_visible() -> None:
    assert svg_path([(1, 2), (3, 4.25)]) == "M1.0 2.0L3.0 4.2"
    assert svg_path([(1, 2)]) == "M1.0 2.0h.01"
