"""Ink of any size and place to the frame a model was trained on: crop, scale into the box, centre."""

from typing import Final

import numpy as np
from PIL import Image

from preprocessing.components import bounds
from preprocessing.levels import Grey, levels, picture
from preprocessing.spec import InputSpec

# Stroke widths as shares of the box, as `pen_width` measures them: what 99 % of MNIST holds, and what thinner pens become.
THINNEST: Final = 0.057
THICKEST: Final = 0.18
PEN: Final = 0.085
# Pillow first averages large ink down to this many times what it is to become: as good, and a fraction of the time.
REDUCING_GAP: Final = 2.0
# Ink is this many times as large as its box while its strokes are changed, so that a pixel is a small step.
PEN_SCALE: Final = 5


def fit(ink: Image.Image, box: int, averaging: Image.Resampling = Image.Resampling.BILINEAR) -> Grey:
    """Scale an "L" picture so that the longer side is ``box`` pixels, keeping the aspect, antialiased in both directions.

    ``averaging`` is the filter on the way down.
    """
    width, height = ink.size
    scale = box / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return levels(ink)
    resampling = averaging if scale < 1 else Image.Resampling.BICUBIC
    fitted = ink.resize(size, resampling, reducing_gap=REDUCING_GAP)
    if fitted.getbbox() or not ink.getbbox():
        return levels(fitted)
    # Sparse dots over thousands of pixels average to less than one level of 255: keep the fractions, and stretch them.
    fractions = np.asarray(ink.convert("F").resize(size, resampling))
    stretched: Grey = (fractions * (255 / fractions.max())).astype(np.uint8)
    return stretched


def pen_width(fitted: Grey) -> float:
    """Mean stroke width in pixels of ink scaled to its box: twice its area over its outline, less where it is faint.

    The outline is the total variation of the levels, which holds for strokes thinner than a pixel too.
    """
    height, width = fitted.shape
    # One column of paper ends every row and begins the next, so that neighbours are two steps along one line.
    framed = np.zeros((height + 2, width + 1), dtype=np.int16)
    framed[1:-1, :-1] = fitted
    line = framed.ravel()
    across, down = line[1:] - line[:-1], line[width + 1 :] - line[: -width - 1]
    outline = int(np.add.reduce(np.abs(across))) + int(np.add.reduce(np.abs(down)))
    return 2 * int(np.add.reduce(line)) / outline * int(np.maximum.reduce(line)) / 255


def with_pen(ink: Image.Image, box: int) -> Grey:
    """Ink fitted into the box, its strokes thickened or thinned where they are far from what people write with a pen."""
    fitted = fit(ink, box)
    width = pen_width(fitted)
    thinnest, thickest = THINNEST * box, THICKEST * box
    if thinnest <= width <= thickest:
        return fitted
    large = fit(ink, PEN_SCALE * box)
    if width < thinnest:
        return fit(picture(spread(firm(large, 255), round((PEN * box - width) / 2 * PEN_SCALE))), box)
    return fit(picture(eroded(large, round((width - thickest) / 2 * PEN_SCALE))), box)


def firm(ink: Grey, typical: int) -> Grey:
    """Lift the levels so that the typical inked pixel reaches ``typical`` and the strongest 255, where they do not.

    Thin strokes fill pixels in part.
    """
    line = ink.ravel().astype(np.int64)
    gain = max(typical * int(np.add.reduce(line)) / int(line @ line), 255 / int(np.maximum.reduce(line)))
    if gain <= 1:
        return ink
    lifted: Grey = np.minimum(np.arange(256) * gain + 0.5, 255).astype(np.uint8)
    return lifted.take(ink)


def spread(ink: Grey, radius: int) -> Grey:
    """Ink grown by ``radius`` pixels on all sides: the largest level in an octagon around each pixel."""
    grown = np.pad(ink, radius)
    for step in range(radius):
        tall = grown.copy()
        np.maximum(tall[:-1], grown[1:], out=tall[:-1])
        np.maximum(tall[1:], grown[:-1], out=tall[1:])
        source = tall if step % 2 else grown
        wide = tall.copy()
        np.maximum(wide[:, :-1], source[:, 1:], out=wide[:, :-1])
        np.maximum(wide[:, 1:], source[:, :-1], out=wide[:, 1:])
        grown = wide
    return grown


def eroded(ink: Grey, radius: int) -> Grey:
    """Ink shrunk by ``radius`` pixels on all sides, cropped; the ink itself where nothing would be left."""
    paper = 255 - np.pad(ink, 1)
    height, width = paper.shape
    thin = 255 - spread(paper, radius)[radius : radius + height, radius : radius + width]
    if not thin.any():
        return ink
    left, top, right, bottom = bounds(thin)[0]
    return thin[top:bottom, left:right]


def centre(ink: Grey, spec: InputSpec) -> Grey:
    """Paste into an empty ``spec.size`` square so that the chosen centre of the ink lies at the middle, to the pixel."""
    height, width = ink.shape
    if spec.geometry.centring == "mass":
        # Whole and half numbers below 2**53, so the sums are exact in any order.
        moments = _MOMENTS[:, :height].dot(ink.astype(np.float64)).dot(_MOMENTS.T[:width])
        (total, across), (down, _) = moments.tolist()
        middle_x, middle_y = across / total, down / total
        left = _clamp(round(spec.size / 2 - middle_x), spec.size - width)
        top = _clamp(round(spec.size / 2 - middle_y), spec.size - height)
    else:  # an odd pixel of room goes to the left and the top, as in Fashion-MNIST
        left, top = (spec.size - width + 1) // 2, (spec.size - height + 1) // 2
    frame = np.zeros((spec.size, spec.size), dtype=np.uint8)
    frame[top : top + height, left : left + width] = ink
    return frame


def _clamp(offset: int, room: int) -> int:
    return min(max(offset, 0), room)


# The mass, and the middles of pixels that weigh it, along either side of the largest frame.
_MOMENTS: Final = np.stack([np.ones(512), np.arange(0.5, 512)])
