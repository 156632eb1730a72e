"""The ground behind a thing: one level, or a surface under uneven light, as the border of the picture shows it."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.levels import Box, Grey

Levels = npt.NDArray[np.float32]

# Where the ground is even, it is seen in most corners, and this share of the border levels near the ground's is the ground's
# own. A picture of few pixels was made for a model and may have faint rims.
OWN_SHARE: Final = 0.9
OWN_SHARE_TINY: Final = 0.5
TINY: Final = 32
NEAR: Final = 2
LEAST_CORNERS: Final = 3
# What stands out does so by this many levels, and by this many deviations of the noise.
LEAST_CONTRAST: Final = 6
NOISE_FACTOR: Final = 4.0
# Standard deviations of a normal distribution in its median distance from the middle.
DEVIATION: Final = 1.4826
# The share of each side that the border takes, of which at most so many pixels are looked at, so many times.
RING: Final = 0.05
RING_PIXELS: Final = 800
FITS: Final = 8


class Ground(NamedTuple):
    """The level of the ground at the middle of a picture, how it slopes and bends across and down, and the noise it has.

    What lies nearer to it than ``tolerance`` is noise. ``box`` is the part of the picture it is wanted for, in shares of the
    sides from -0.5 to 0.5: left, top, right, bottom.
    """

    level: float
    slopes: tuple[float, float]
    bends: tuple[float, float]
    tolerance: float
    box: tuple[float, float, float, float] = (-0.5, -0.5, 0.5, 0.5)

    def over(self, height: int, width: int) -> Levels:
        """The level of every pixel, ``float32[H,W]``."""
        left, top, right, bottom = self.box
        xs = left + (right - left) * np.arange(0.5, width, dtype=np.float32) / width
        ys = top + (bottom - top) * np.arange(0.5, height, dtype=np.float32) / height
        across = self.level + xs * (self.slopes[0] + xs * self.bends[0])
        down = ys * (self.slopes[1] + ys * self.bends[1])
        surface: Levels = across.astype(np.float32) + down.astype(np.float32)[:, None]
        return surface.clip(0, 255)

    def within(self, box: Box, size: tuple[int, int]) -> "Ground":
        """The ground of a part of a picture."""
        (left, top, right, bottom), (width, height) = box, size
        shares = left / width - 0.5, top / height - 0.5, right / width - 0.5, bottom / height - 0.5
        return self._replace(box=shares)

    def negative(self) -> "Ground":
        """The ground of the negative."""
        (across, down), (bend_across, bend_down) = self.slopes, self.bends
        return self._replace(level=255 - self.level, slopes=(-across, -down), bends=(-bend_across, -bend_down))


def even(light: Image.Image) -> int | None:
    """The level of the ground where nearly all pixels of the border have it or are far from it, else None."""
    width, height = light.size
    sides = (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)
    border = b"".join([light.crop(side).tobytes() for side in sides])
    counts = np.bincount(np.frombuffer(border, dtype=np.uint8), minlength=256)
    level = int(counts.argmax())
    own, near = int(counts[level]), int(np.add.reduce(counts[max(0, level - NEAR) : level + NEAR + 1]))
    if max(width, height) <= TINY:
        return level if own >= OWN_SHARE_TINY * near else None
    corners = [light.getpixel((x, y)) for x in (0, width - 1) for y in (0, height - 1)]
    return level if own >= OWN_SHARE * near and corners.count(level) >= LEAST_CORNERS else None


def fitted(pixels: Grey) -> Ground:
    """The surface through the levels along the border of ``uint8[H,W]``, and its noise.

    Least squares with weights that fall with the distance from the surface (Holland and Welsch, "Robust regression using
    iteratively reweighted least-squares", Communications in Statistics 6(9), 1977), so that a thing may reach out of the
    picture.
    """
    height, width = pixels.shape
    ys, xs, weights = _border(height, width)
    values = pixels[ys, xs].astype(np.float64)
    x, y = (xs + 0.5) / width - 0.5, (ys + 0.5) / height - 0.5
    terms = np.stack([np.ones(len(xs)), x, y, x * x, y * y], axis=1)
    surface = np.array([_median(values), 0, 0, 0, 0])
    for _ in range(FITS):
        distance = np.abs(values - terms.dot(surface))
        spread = max(1.0, _median(distance))
        weighted = terms * (weights / (1 + (distance / spread) ** 2))[:, None]
        surface = np.linalg.lstsq(weighted.T.dot(terms), weighted.T.dot(values), rcond=None)[0]
    distance = np.abs(values - terms.dot(surface))
    noise = DEVIATION * _median(distance[distance <= 3 * max(1.0, DEVIATION * _median(distance))])
    level, *slopes, bend_across, bend_down = surface.tolist()
    return Ground(level, (slopes[0], slopes[1]), (bend_across, bend_down), max(float(LEAST_CONTRAST), NOISE_FACTOR * noise))


def _median(values: npt.NDArray[np.float64]) -> float:
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


@lru_cache(maxsize=64)
def _border(height: int, width: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Rows, columns and weights of the pixels along the border."""
    deep, wide = max(1, round(RING * height)), max(1, round(RING * width))
    weights = np.zeros((height, width))
    for rows in (slice(None, deep), slice(-deep, None)):
        weights[rows] += 1
    for columns in (slice(None, wide), slice(-wide, None)):
        weights[:, columns] += 1
    ys, xs = weights.nonzero()
    step = -(-len(ys) // RING_PIXELS)
    ys, xs = ys[::step], xs[::step]
    return ys, xs, weights[ys, xs] ** 1.5
