"""Separates ink from paper under uneven light: Otsu's threshold, the polarity of the strokes, and illumination correction."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from preprocessing.pixels import Grey

# The background is estimated in this many blocks along the longer side; strokes are narrower than CLOSING blocks.
BLOCKS: Final = 25
CLOSING: Final = 7
# A corner is 1/CORNER of each side, and the inner ring begins 1/RING of the shorter side from the edge.
CORNER: Final = 14
RING: Final = 20
BRIGHT_SHARE: Final = 0.8
# Above this skewness of the high-pass filtered image, its sign tells whether strokes are dark or light.
CLEAR_SKEW: Final = 0.4
# Ink absorbs this share of the light that the paper reflects, and stands this far above the noise.
MIN_ABSORBANCE: Final = 0.1
NOISE_FACTOR: Final = 3.5
MIN_SHARE: Final = 0.15
# Paper covers at least twice this share of an image, so this quantile lies amid its levels.
PAPER_SHARE: Final = 0.25


def otsu_threshold(counts: npt.NDArray[np.float64]) -> int:
    """The level that splits a 256-bin histogram into two classes with maximal between-class variance.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9(1), 1979.
    """
    weight = counts.cumsum()
    mass = (counts * _LEVELS).cumsum()
    product = weight * (weight[-1] - weight)
    product[product == 0] = np.inf
    variance = (mass[-1] * weight / weight[-1] - mass) ** 2 / product
    return int(variance.argmax())


def is_background_light(pixels: Grey, counts: npt.NDArray[np.float64], threshold: int) -> bool:
    """Whether the background is lighter than the threshold: it has more of the border, the corners and the whole image.

    The border counts twice, at the edge and a little further in (there may be a frame), because a drawing seldom covers it. A
    drawing that does leaves the corners free.
    """
    light: npt.NDArray[np.bool_] = np.asarray(pixels > threshold)
    height, width = light.shape
    inset = min(height, width) // RING
    outer, inner = _ring_share(light), _ring_share(light[inset : height - inset, inset : width - inset])
    deep, wide = -(-height // CORNER), -(-width // CORNER)
    corners = (light[:deep, :wide], light[:deep, -wide:], light[-deep:, :wide], light[-deep:, -wide:])
    light_corners = sum(np.count_nonzero(corner) for corner in corners) / (4 * deep * wide)
    light_all = float(counts[threshold + 1 :].sum() / counts.sum())
    return bool(outer + inner + light_corners + light_all > 2)


def _ring_share(light: npt.NDArray[np.bool_]) -> float:
    """The share of the outermost pixels that are light."""
    sides = (light[0], light[-1], light[1:-1, 0], light[1:-1, -1])
    return sum(np.count_nonzero(side) for side in sides) / sum(side.size for side in sides)


def extract_unevenly_lit_ink(pixels: Grey) -> tuple[Grey, float]:
    """The ink ``uint8[H,W]`` (255 the strongest) of a photo or noisy image, and the level below which it is noise.

    Ink is the share of light that a pixel absorbs, compared with the estimated background around it. If there is none, the
    array is all 0.
    """
    light = pixels.astype(np.float32)
    if not strokes_are_dark(pixels):
        light = 255 - light
    absorbed = np.clip(1 - light / np.maximum(estimate_background(light), 1), 0, 1)
    middle = float(np.quantile(absorbed[::2, ::2], PAPER_SHARE))
    noise = 1.05 * float(np.median(np.abs(np.diff(absorbed, axis=1)))) if absorbed.shape[1] > 1 else 0.0
    few = min(max(4, absorbed.size // 1000), absorbed.size)
    strongest = float(np.partition(absorbed, absorbed.size - few, axis=None)[-few])
    floor = max(middle + NOISE_FACTOR * noise, MIN_SHARE * strongest)
    if strongest < MIN_ABSORBANCE or strongest < 1.5 * floor:
        return np.zeros_like(pixels), 255.0
    base = middle + noise
    ink = np.clip((absorbed - base) * (255 / (strongest - base)), 0, 255)
    return ink.astype(np.uint8), 255 * (floor - base) / (strongest - base)


def strokes_are_dark(pixels: Grey) -> bool:
    """Whether thin structures are darker than what surrounds them; where that is unclear, the border decides."""
    image = Image.fromarray(pixels)
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(max(pixels.shape) / 10)), dtype=np.float32)
    margin = max(pixels.shape) // 16
    detail = (pixels - blurred)[margin : pixels.shape[0] - margin, margin : pixels.shape[1] - margin]
    deviation = float(detail.std()) if detail.size else 0.0
    if deviation > 0:
        skew = float((((detail - detail.mean()) / deviation) ** 3).mean())
        if abs(skew) > CLEAR_SKEW:
            return skew < 0
    counts = np.bincount(pixels.ravel(), minlength=256).astype(np.float64)
    return is_background_light(pixels, counts, otsu_threshold(counts))


def estimate_background(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The brightness of the paper at every pixel, ``float32[H,W]``: a high quantile per block, closed over the strokes."""
    height, width = light.shape
    side = max(2, -(-max(height, width) // BLOCKS))
    rows, columns = -(-height // side), -(-width // side)
    padded = np.pad(light, ((0, rows * side - height), (0, columns * side - width)), mode="edge")
    blocks = padded.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(rows, columns, side * side)
    rank = int(BRIGHT_SHARE * (side * side - 1))
    bright = Image.fromarray(np.partition(blocks, rank, axis=2)[:, :, rank].astype(np.uint8))
    closed = bright.filter(ImageFilter.MaxFilter(CLOSING)).filter(ImageFilter.MinFilter(CLOSING))
    smooth = closed.filter(ImageFilter.GaussianBlur(1)).resize((columns * side, rows * side), Image.Resampling.BILINEAR)
    return np.asarray(smooth, dtype=np.float32)[:height, :width]


_LEVELS: Final = np.arange(256, dtype=np.float64)
