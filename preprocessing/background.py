"""Estimates the background behind an object from the border of an image: one level, or a smooth surface under uneven light."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.pixels import Box, Grey

Levels = npt.NDArray[np.float32]

# A uniform background has the same level in most corners, and this share of the border levels near it are exactly that level.
# An image of few pixels may have faint rims.
MIN_EXACT_SHARE: Final = 0.9
MIN_EXACT_SHARE_TINY: Final = 0.5
TINY: Final = 32
NEAR: Final = 2
MIN_CORNERS: Final = 3
# An object differs from the background by this many levels, and by this many standard deviations of the noise.
MIN_CONTRAST: Final = 6
NOISE_FACTOR: Final = 4.0
# Standard deviation of a normal distribution divided by its median absolute deviation.
MAD_TO_DEVIATION: Final = 1.4826
# The width of the border as a share of each side, how many of its pixels are used at most, and the number of iterations.
BORDER_SHARE: Final = 0.05
MAX_BORDER_PIXELS: Final = 800
ITERATIONS: Final = 8


class Background(NamedTuple):
    """A background surface: its level at the image centre, linear and quadratic coefficients across and down, and its noise.

    Differences below ``tolerance`` are noise. ``box`` is the part of the image that the surface is evaluated on, in shares of
    the sides from -0.5 to 0.5: left, top, right, bottom.
    """

    level: float
    slopes: tuple[float, float]
    curvatures: tuple[float, float]
    tolerance: float
    box: tuple[float, float, float, float] = (-0.5, -0.5, 0.5, 0.5)

    def levels(self, height: int, width: int) -> Levels:
        """The level at every pixel, ``float32[H,W]``."""
        left, top, right, bottom = self.box
        xs = left + (right - left) * np.arange(0.5, width, dtype=np.float32) / width
        ys = top + (bottom - top) * np.arange(0.5, height, dtype=np.float32) / height
        across = self.level + xs * (self.slopes[0] + xs * self.curvatures[0])
        down = ys * (self.slopes[1] + ys * self.curvatures[1])
        surface: Levels = across.astype(np.float32) + down.astype(np.float32)[:, None]
        return surface.clip(0, 255)

    def cropped(self, box: Box, size: tuple[int, int]) -> "Background":
        """The background of a part of an image of this size."""
        (left, top, right, bottom), (width, height) = box, size
        shares = left / width - 0.5, top / height - 0.5, right / width - 0.5, bottom / height - 0.5
        return self._replace(box=shares)

    def inverted(self) -> "Background":
        """The background of the negative."""
        (across, down), (curve_across, curve_down) = self.slopes, self.curvatures
        return self._replace(level=255 - self.level, slopes=(-across, -down), curvatures=(-curve_across, -curve_down))


def uniform_level(light: Image.Image) -> int | None:
    """The level of the background where nearly all border pixels have it or differ much from it, else None."""
    width, height = light.size
    sides = (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)
    border = b"".join([light.crop(side).tobytes() for side in sides])
    counts = np.bincount(np.frombuffer(border, dtype=np.uint8), minlength=256)
    level = int(counts.argmax())
    exact, near = int(counts[level]), int(np.add.reduce(counts[max(0, level - NEAR) : level + NEAR + 1]))
    if max(width, height) <= TINY:
        return level if exact >= MIN_EXACT_SHARE_TINY * near else None
    corners = [light.getpixel((x, y)) for x in (0, width - 1) for y in (0, height - 1)]
    return level if exact >= MIN_EXACT_SHARE * near and corners.count(level) >= MIN_CORNERS else None


def fit_background(pixels: Grey) -> Background:
    """Fit a surface and its noise to the levels along the border of ``uint8[H,W]``.

    Least squares with weights that fall with the distance from the surface, so that an object may touch the border (Holland
    and Welsch, "Robust regression using iteratively reweighted least-squares", Communications in Statistics 6(9), 1977).
    """
    height, width = pixels.shape
    ys, xs, weights = _border(height, width)
    values = pixels[ys, xs].astype(np.float64)
    x, y = (xs + 0.5) / width - 0.5, (ys + 0.5) / height - 0.5
    terms = np.stack([np.ones(len(xs)), x, y, x * x, y * y], axis=1)
    surface = np.array([_median(values), 0, 0, 0, 0])
    for _ in range(ITERATIONS):
        distance = np.abs(values - terms.dot(surface))
        scale = max(1.0, _median(distance))
        weighted = terms * (weights / (1 + (distance / scale) ** 2))[:, None]
        surface = np.linalg.lstsq(weighted.T.dot(terms), weighted.T.dot(values), rcond=None)[0]
    distance = np.abs(values - terms.dot(surface))
    noise = MAD_TO_DEVIATION * _median(distance[distance <= 3 * max(1.0, MAD_TO_DEVIATION * _median(distance))])
    level, *slopes, curve_across, curve_down = surface.tolist()
    tolerance = max(float(MIN_CONTRAST), NOISE_FACTOR * noise)
    return Background(level, (slopes[0], slopes[1]), (curve_across, curve_down), tolerance)


def _median(values: npt.NDArray[np.float64]) -> float:
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


@lru_cache(maxsize=64)
def _border(height: int, width: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Rows, columns and weights of the pixels along the border."""
    deep, wide = max(1, round(BORDER_SHARE * height)), max(1, round(BORDER_SHARE * width))
    weights = np.zeros((height, width))
    for rows in (slice(None, deep), slice(-deep, None)):
        weights[rows] += 1
    for columns in (slice(None, wide), slice(-wide, None)):
        weights[:, columns] += 1
    ys, xs = weights.nonzero()
    step = -(-len(ys) // MAX_BORDER_PIXELS)
    ys, xs = ys[::step], xs[::step]
    return ys, xs, weights[ys, xs] ** 1.5
