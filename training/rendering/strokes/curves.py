"""Random lines, curves and loops, the parts of a generated character.

Coordinates: a digit is about 1 high; x to the right, y down from 0 at the top to 1 at the bottom, x = 0 near the middle.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

Path = npt.NDArray[np.float64]
"""One stroke: ``float64[points, 2]``, (x, y)."""
Point = Sequence[float] | npt.NDArray[np.float64]

STEPS: Final = 8
JITTER: Final = 0.022


def line(rng: np.random.Generator, *points: Point, jitter: float = JITTER, bow: float = 0.04) -> Path:
    """Draw a stroke from point to point with corners between them, each segment slightly bent."""
    corners = _jittered(rng, points, jitter)
    pieces = []
    for start, end in pairwise(corners):
        along = np.linspace(0, 1, STEPS)[:, None]
        across = np.array([-(end - start)[1], (end - start)[0]])
        pieces.append(start + (end - start) * along + across * rng.normal(0, bow) * 4 * along * (1 - along))
    return np.concatenate(pieces)


def curve(rng: np.random.Generator, *points: Point, jitter: float = JITTER) -> Path:
    """Draw a smooth stroke through the points (Catmull-Rom, with straight ends)."""
    knots = _jittered(rng, points, jitter)
    knots = np.concatenate((2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]))
    before, start, end, after = knots[:-3, None], knots[1:-2, None], knots[2:-1, None], knots[3:, None]
    t = np.linspace(0, 1, STEPS)[None, :, None]
    pieces = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.asarray(pieces.reshape(-1, 2))


def loop(
    rng: np.random.Generator,
    middle: Point,
    radii: Point,
    start: float,
    sweep: float,
    drift: float = 0.05,
) -> Path:
    """Draw a round stroke about ``middle``, from angle ``start`` over ``sweep`` degrees (0 right, 90 down, + is clockwise).

    The radius varies, so that it is no ellipse and the end of a full turn seldom meets its beginning.
    """
    degrees = np.linspace(start, start + sweep, max(6, int(abs(sweep) / 9)))
    angle = np.deg2rad(degrees)
    radius = 1 + np.linspace(0, rng.normal(0, drift), len(angle))
    for order in (2, 3):
        radius = radius + rng.normal(0, 0.04) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    x = middle[0] + rng.normal(0, JITTER) + radii[0] * radius * np.cos(angle)
    y = middle[1] + rng.normal(0, JITTER) + radii[1] * radius * np.sin(angle)
    return np.stack((x, y), axis=1)


def joined(*parts: Path) -> Path:
    """Join strokes into one."""
    return np.concatenate(parts)


def rotated(path: Path, degrees: float, middle: Point) -> Path:
    """Rotate a stroke clockwise about a point."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((path - middle) @ rotation + middle)


def _jittered(rng: np.random.Generator, points: Sequence[Point], jitter: float) -> Path:
    return np.asarray(points, dtype=np.float64) + rng.normal(0, jitter, (len(points), 2))
