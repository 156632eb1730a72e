"""Draws digits for validation only: their shapes, brush and code are independent of ``training.rendering.strokes``.

How well the generated training digits prepare a model for drawings by other people cannot be measured on digits of the same
generator.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

# Strokes on a grid of 5 columns (a..e) and 7 rows (1..7), from point to point; "*" after a point keeps its corner sharp.
FORMS: Final = {
    0: ("c1 a2 a6 c7 e6 e2 c1", "d1 b1 a3 a5 b7 d7 e5 e3 d1 c1", "c1 b4 c7 d4 c1", "b1 a4 b7 d7 e4 d2 b1 a2"),
    1: (
        "c1 c7",
        "b1 c7",
        "b2 c1* c7",
        "a4 c1* c7",
        "a3 c1* c7",
        "b2 c1* c7 / a7 e7",
        "a3 c1* c7 / b7 d7",
        "c1 c7 / b7 d7",
        "a4 d1* c7",
        "b3 c2 c1* c7 / a7 d7",
    ),
    2: (
        "a2 b1 d1 e2 d4 a7* e7",
        "a2 c1 e2 c5 a7* c6 e7",
        "a1 d1 e3 b6 a7 a6 b6 e7",
        "b3 a2 b1 d1 d3 a7* e7",
        "a2 c1 d3 a7* e6",
    ),
    3: (
        "a1 d1 e2 d3 c4* d4 e6 c7 a6",
        "a1* e1* c3* d4 e5 d7 b7 a6",
        "a2 c1 e2 c4 e5 d7 a7",
        "a1 c1 d2 b4* d5 c7 a7",
    ),
    4: (
        "b1 a5* e5 / d3 d7",
        "d1* a5* e5 / d1 d7",
        "a1 a4* d4 / d1 d7",
        "b1 a4 c5 e4 / e1 d7",
        "e5 a5* d1* d7",
        "c1 a5* e5 / d2 c7",
    ),
    5: (
        "e1* a1* a4* d3 e5 d7 a7",
        "b1 a4* d4 e6 c7 a6 / b1 e1",
        "b2 a4* d3 d6 b7 a6 / c2 e1",
        "e1 b1 a3 d4 e6 c7 a7",
        "b1 b4* d4 d7 a7 / b1 e2",
    ),
    6: ("d1 b3 a5 b7 d7 e5 c4 a6", "b1 a6 c7 e6 c4 a6", "c1 a4 a6 c7 d5 b5", "e1 b2 a6 d7 e5 b4 a5"),
    7: (
        "a1 e1* c7",
        "a1 e1* b7",
        "a1 e1* c4 c7",
        "a1 e1* b7 / b4 e4",
        "a2 a1* e1* c4 c7 / b4 d4",
        "a1 e1* c4 b6 c7 / a4 d4",
        "a2 b1 e1* b7",
        "a1 d1 d3 b7",
        "a1 e1* c5 c7 d7 / b4 e4",
    ),
    8: (
        "d1 a2 c4 e6 c7 a6 c4 e2 d1",
        "c1 b2 c4 d2 c1 / c4 a6 c7 e6 c4",
        "e1 c1 b2 d5 c7 b6 e2",
        "b1 b3 d3 d1 b1 / b3 a6 c7 e5 d3 b3",
    ),
    9: (
        "e2 c1 a2 c4 e2* d7",
        "e2 c1 a2 b4 d4 e2* e5 c7 a7",
        "d2 b1 a3 c4 d3 / d1 d7",
        "d3 c4 b3 b1 d1 d2 c7",
        "e2 c1 a2 b4 d4 e2* e4 c7",
    ),
}

# Forms that models of scans and of the more frequent forms misread, in the same notation. "~" before a stroke: it is faint.
RARE_FORMS: Final = {
    "7 with a hooked head and a low bar": (
        7,
        ("a3 a1* e1* c4 b7 / a5 d5", "a2 b1 e1* d3 b7 / a5 e5", "b3 b1 d1 e1* c5 c7 / a6 e6", "a3 b2 c1 e1* c7 / b5 e5"),
    ),
    "9 with a long tail to the left": (
        9,
        ("e2 c1 b2 c3 e2* e5 d7 a7", "d2 c1 b2 c3 d2 d5 c7 a6", "e2 d1 c2 d3 e2* e6 c7 a7", "e2 c1 b2 d3 e2 e6 d7 a7 a6"),
    ),
    "4 whose second stroke is missing or faint": (
        4,
        ("b1 a5* e5", "c1 a4* d4 / ~ c3 c7", "b1 b5* e5 / ~ d3 d7", "c1 a5* e5 / d4 d6", "d1 a5* e5 / ~ d2 d7"),
    ),
    "5 with a detached flag": (
        5,
        ("a2 a4* d4 e6 c7 a6 / c1 e1", "b2 b4* d4 d6 b7 a7 / d1 f1", "a2 a4* c4 e5 d7 a7 / b1 d0", "a3 a4* d4 d7 a7 / c2 e1"),
    ),
    "3 in one stroke with little belly": (3, ("b1 c1 d2 c4 d5 c7 b7", "a1 c1 c3 c4 d6 b7", "b1 c2 c4 d6 c7 a7")),
    "9 in one stroke with little belly": (9, ("d1 c1 c2 c3 d2* d7", "d2 c1 c3 d2 d5 c7", "d1 c1 c3 d3 d1* c7")),
    "6 as a slanted stick with a knot": (
        6,
        ("e1 b6 b7 c7 c6 b6", "d1 b5 a7 b7 b6 a6", "c1 b6 b7 c7 c6 b6", "e1 c5 b7 c7 d6 b6"),
    ),
    "2 ending in a long loop": (2, ("a2 c1 d2 c4 a6 a7 c6 e7 f7", "a2 c1 e2 c5 a7 a6 c6 f7", "b2 c1 d2 b6 a7 a6 c6 e7 g7")),
    **{
        f"{digit} in straight lines": (digit, forms)
        for digit, forms in enumerate(
            (
                ("a1* e1* e7* a7* a1", "b1* d1* d7* b7* b1"),
                ("c1 c7", "d1 d4* d7"),
                ("a1 e1* e4* a4* a7* e7", "b1 d1* d4* b4* b7* d7"),
                ("a1 e1* e7* a7 / a4 e4", "b1 d1* d4* b4* d4* d7* b7"),
                ("a1 a4* e4 / e1 e7", "b1 b4* d4 / d1 d7"),
                ("e1 a1* a4* e4* e7* a7", "d1 b1* b4* d4* d7* b7"),
                ("e1 a1* a7* e7* e4* a4", "b1 b7* d7* d4* b4"),
                ("a1 e1* e7", "b3 b1* d1* d7"),
                ("a1* e1* e7* a7* a1 / a4 e4", "b4 b1* d1* d7* b7* b4* d4"),
                ("e4 a4* a1* e1* e7* a7", "d4 b4* b1* d1* d7"),
            )
        )
    },
}


def draw_validation_digit(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw a digit in one of its forms: mode "L", white on black, about 200 pixels a side."""
    return draw_form(FORMS[digit][int(rng.integers(len(FORMS[digit])))], rng)


def draw_rare_validation_digit(name: str, rng: np.random.Generator) -> Image.Image:
    """Draw a digit in a form of ``RARE_FORMS``: mode "L", white on black, about 200 pixels a side."""
    forms = RARE_FORMS[name][1]
    return draw_form(forms[int(rng.integers(len(forms)))], rng)


def draw_form(form: str, rng: np.random.Generator) -> Image.Image:
    """Draw a form with a brush of varying width, in perspective: mode "L", white on black."""
    wide, tall = rng.uniform(22, 42), rng.uniform(22, 30)
    shear, perspective = rng.normal(0, 0.12), rng.normal(0, 0.08)
    width = np.exp(rng.uniform(np.log(1.5), np.log(20)))
    strokes, levels = [], []
    for text in form.split("/"):
        levels.append(int(rng.integers(60, 160)) if "~" in text else 255)
        points = [(ord(name[0]) - ord("a"), int(name[1]) - 1, name.endswith("*")) for name in text.replace("~", "").split()]
        place = np.array([(x, y) for x, y, _ in points]) + rng.normal(0, 0.17, (len(points), 2))
        place = place * (wide, tall)
        place[:, 0] += (90 - place[:, 1]) * shear
        place *= 1 + perspective * (place[:, 1:] / 180 - 0.5)
        strokes.append(_rounded(place, [sharp for _, _, sharp in points]))
    all_points = np.concatenate(strokes)
    low = all_points.min(axis=0) - 20
    size = np.ceil(all_points.max(axis=0) - low + 20).astype(int)
    canvas = Image.new("L", (int(size[0]), int(size[1])))
    draw = ImageDraw.Draw(canvas)
    for stroke, level in zip(strokes, levels, strict=True):
        phase = rng.uniform(0, 6)
        for number, (x, y) in enumerate(_resampled(stroke - low)):
            radius = width * (1 + 0.2 * np.sin(number / 25 + phase)) / 2 + 0.4
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=level)
    return canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.2)))


def _rounded(points: npt.NDArray[np.float64], sharp: list[bool]) -> npt.NDArray[np.float64]:
    """Round the corners by cutting them three times (Chaikin, 1974), except the sharp ones."""
    keep = [True, *sharp[1:-1], True]
    for _ in range(3):
        cut: list[npt.NDArray[np.float64]] = []
        kept: list[bool] = []
        for number, point in enumerate(points):
            if keep[number]:
                cut.append(point)
                kept.append(True)
            else:
                cut += [0.25 * points[number - 1] + 0.75 * point, 0.75 * point + 0.25 * points[number + 1]]
                kept += [False, False]
        points, keep = np.array(cut), kept
    return points


def _resampled(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Resample a polyline to points one pixel apart."""
    lengths = np.concatenate(([0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    along = np.arange(0, lengths[-1] + 1)
    return np.stack([np.interp(along, lengths, points[:, axis]) for axis in (0, 1)], axis=1)
