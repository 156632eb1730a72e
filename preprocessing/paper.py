"""The paper under the ink: its side of the histogram, and its surface under uneven light."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from preprocessing.levels import Grey

# The surface is known per block, this many along the longer side; strokes are narrower than CLOSING blocks.
BLOCKS: Final = 25
CLOSING: Final = 7
# A corner is this part of each side, and a ring inside of a frame begins this part of the side from the edge.
CORNER: Final = 14
RING: Final = 20
BRIGHT_SHARE: Final = 0.8
# Skewness of the high-passed picture beyond which it says whether strokes are darker or lighter than their surroundings.
CLEAR_SKEW: Final = 0.4
# Ink must be this share of the light that the paper sends back, and stand this far above the noise.
MIN_ABSORBANCE: Final = 0.1
NOISE_FACTOR: Final = 3.5
MIN_SHARE: Final = 0.15
# Paper covers at least twice this share of a picture, so this quantile lies amid its levels.
PAPER_SHARE: Final = 0.25


def otsu(counts: npt.NDArray[np.float64]) -> int:
    """The level that splits a 256-bin histogram into two classes of greatest between-class variance.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9(1), 1979.
    """
    weight = counts.cumsum()
    mass = (counts * _LEVELS).cumsum()
    product = weight * (weight[-1] - weight)
    product[product == 0] = np.inf
    variance = (mass[-1] * weight / weight[-1] - mass) ** 2 / product
    return int(variance.argmax())


def is_light(pixels: Grey, counts: npt.NDArray[np.float64], threshold: int) -> bool:
    """Whether the paper is the light side of the threshold: the side with more of the border, the corners and the picture.

    The border counts twice, at the edge and a little inside of a frame, because a drawing seldom fills it; one that does leaves
    the corners free.
    """
    light: npt.NDArray[np.bool_] = np.asarray(pixels > threshold)
    height, width = light.shape
    inset = min(height, width) // RING
    outer, inner = _ring(light), _ring(light[inset : height - inset, inset : width - inset])
    deep, wide = -(-height // CORNER), -(-width // CORNER)
    corners = (light[:deep, :wide], light[:deep, -wide:], light[-deep:, :wide], light[-deep:, -wide:])
    light_corners = sum(np.count_nonzero(corner) for corner in corners) / (4 * deep * wide)
    light_all = float(counts[threshold + 1 :].sum() / counts.sum())
    return bool(outer + inner + light_corners + light_all > 2)


def _ring(light: npt.NDArray[np.bool_]) -> float:
    """Share of the outermost pixels that are light."""
    sides = (light[0], light[-1], light[1:-1, 0], light[1:-1, -1])
    return sum(np.count_nonzero(side) for side in sides) / sum(side.size for side in sides)


def ink_on_uneven_ground(pixels: Grey) -> tuple[Grey, float]:
    """Ink ``uint8[H,W]`` (255 the strongest) of a photo or a noisy picture, and the level below which it is noise.

    The share of light that a pixel swallows is compared with the surface of the paper around it. Without any ink the first
    is all 0.
    """
    light = pixels.astype(np.float32)
    if not strokes_are_dark(pixels):
        light = 255 - light
    absorbed = np.clip(1 - light / np.maximum(surface(light), 1), 0, 1)
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
    """Whether what is thin is darker than what surrounds it; where that is not clear, the border is paper."""
    image = Image.fromarray(pixels)
    around = np.asarray(image.filter(ImageFilter.GaussianBlur(max(pixels.shape) / 10)), dtype=np.float32)
    margin = max(pixels.shape) // 16
    detail = (pixels - around)[margin : pixels.shape[0] - margin, margin : pixels.shape[1] - margin]
    deviation = float(detail.std()) if detail.size else 0.0
    if deviation > 0:
        skew = float((((detail - detail.mean()) / deviation) ** 3).mean())
        if abs(skew) > CLEAR_SKEW:
            return skew < 0
    counts = np.bincount(pixels.ravel(), minlength=256).astype(np.float64)
    return is_light(pixels, counts, otsu(counts))


def surface(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The paper's brightness at every pixel, ``float32[H,W]``: what is bright in each block, closed over the strokes."""
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
