"""Brings ink of any size and position into a model's frame: scaling, stroke width, strength and centring."""

from typing import Final

import numpy as np
from PIL import Image

from preprocessing.connected_components import bounding_box
from preprocessing.pixels import Grey, to_array, to_image
from preprocessing.spec import InputSpec

# Results of `stroke_width` as shares of the box: the range of 99 % of MNIST, and the target for thinner strokes.
MIN_STROKE: Final = 0.057
MAX_STROKE: Final = 0.18
TARGET_STROKE: Final = 0.085
# Pillow first averages large ink down to this many times the target size: as good, and far faster.
REDUCING_GAP: Final = 2.0
# Strokes are changed at this many times the size of the box, so that one pixel is a small step.
STROKE_SCALE: Final = 5


def scale_to_box(ink: Image.Image, box: int, downsampling: Image.Resampling = Image.Resampling.BILINEAR) -> Grey:
    """Scale an "L" image so that its longer side is ``box`` pixels: aspect ratio kept, antialiased up and down.

    ``downsampling`` is the filter for a smaller size.
    """
    width, height = ink.size
    scale = box / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return to_array(ink)
    resampling = downsampling if scale < 1 else Image.Resampling.BICUBIC
    scaled = ink.resize(size, resampling, reducing_gap=REDUCING_GAP)
    if scaled.getbbox() or not ink.getbbox():
        return to_array(scaled)
    # Sparse dots over thousands of pixels average to less than one level of 255: keep the fractions, and stretch them.
    fractions = np.asarray(ink.convert("F").resize(size, resampling))
    stretched: Grey = (fractions * (255 / fractions.max())).astype(np.uint8)
    return stretched


def stroke_width(scaled: Grey) -> float:
    """The mean stroke width in pixels of ink scaled to its box: twice its area over its outline, less where it is faint.

    The outline is the total variation of the levels, which also holds for strokes thinner than a pixel.
    """
    height, width = scaled.shape
    # One blank column ends every row and begins the next, so that neighbours are two steps along one flat array.
    framed = np.zeros((height + 2, width + 1), dtype=np.int16)
    framed[1:-1, :-1] = scaled
    flat = framed.ravel()
    across, down = flat[1:] - flat[:-1], flat[width + 1 :] - flat[: -width - 1]
    outline = int(np.add.reduce(np.abs(across))) + int(np.add.reduce(np.abs(down)))
    return 2 * int(np.add.reduce(flat)) / outline * int(np.maximum.reduce(flat)) / 255


def normalise_stroke_width(ink: Image.Image, box: int) -> Grey:
    """Scale ink to the box, and dilate or erode its strokes where they are far thinner or thicker than handwriting."""
    scaled = scale_to_box(ink, box)
    width = stroke_width(scaled)
    min_width, max_width = MIN_STROKE * box, MAX_STROKE * box
    if min_width <= width <= max_width:
        return scaled
    large = scale_to_box(ink, STROKE_SCALE * box)
    if width < min_width:
        return scale_to_box(to_image(dilate(boost(large, 255), round((TARGET_STROKE * box - width) / 2 * STROKE_SCALE))), box)
    return scale_to_box(to_image(erode(large, round((width - max_width) / 2 * STROKE_SCALE))), box)


def boost(ink: Grey, typical: int) -> Grey:
    """Amplify the levels so that the typical inked pixel has at least ``typical``, and the strongest 255.

    Thin strokes cover pixels only in part.
    """
    flat = ink.ravel().astype(np.int64)
    gain = max(typical * int(np.add.reduce(flat)) / int(flat @ flat), 255 / int(np.maximum.reduce(flat)))
    if gain <= 1:
        return ink
    table: Grey = np.minimum(np.arange(256) * gain + 0.5, 255).astype(np.uint8)
    return table.take(ink)


def dilate(ink: Grey, radius: int) -> Grey:
    """Dilate ink by ``radius`` pixels on all sides: the maximum in an octagon around each pixel."""
    dilated = np.pad(ink, radius)
    for step in range(radius):
        vertical = dilated.copy()
        np.maximum(vertical[:-1], dilated[1:], out=vertical[:-1])
        np.maximum(vertical[1:], dilated[:-1], out=vertical[1:])
        source = vertical if step % 2 else dilated
        horizontal = vertical.copy()
        np.maximum(horizontal[:, :-1], source[:, 1:], out=horizontal[:, :-1])
        np.maximum(horizontal[:, 1:], source[:, :-1], out=horizontal[:, 1:])
        dilated = horizontal
    return dilated


def erode(ink: Grey, radius: int) -> Grey:
    """Erode ink by ``radius`` pixels on all sides, and crop it; the ink itself where nothing would be left."""
    inverse = 255 - np.pad(ink, 1)
    height, width = inverse.shape
    eroded = 255 - dilate(inverse, radius)[radius : radius + height, radius : radius + width]
    if not eroded.any():
        return ink
    left, top, right, bottom = bounding_box(eroded)[0]
    return eroded[top:bottom, left:right]


def centre(ink: Grey, spec: InputSpec) -> Grey:
    """Paste ink into an empty frame so that its centre of mass or its box is centred, to the pixel."""
    height, width = ink.shape
    if spec.placement.centring == "mass":
        # Whole and half numbers below 2**53, so the sums are exact in any order.
        moments = _MOMENTS[:, :height].dot(ink.astype(np.float64)).dot(_MOMENTS.T[:width])
        (total, across), (down, _) = moments.tolist()
        centre_x, centre_y = across / total, down / total
        left = _clamp(round(spec.width / 2 - centre_x), spec.width - width)
        top = _clamp(round(spec.height / 2 - centre_y), spec.height - height)
    else:  # an odd pixel goes to the left and the top, as in Fashion-MNIST
        left, top = (spec.width - width + 1) // 2, (spec.height - height + 1) // 2
    frame = np.zeros((spec.height, spec.width), dtype=np.uint8)
    frame[top : top + height, left : left + width] = ink
    return frame


def _clamp(offset: int, maximum: int) -> int:
    return min(max(offset, 0), maximum)


# Ones, and the centres of pixels, along a side of the largest frame: they give the mass and the first moments.
_MOMENTS: Final = np.stack([np.ones(512), np.arange(0.5, 512)])
