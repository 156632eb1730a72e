"""The parts a written character is made of: lines, curves through points and loops, none of them ever quite the same.

Coordinates: a digit is about 1 high; x to the right, y down from 0 at its top to 1 at its foot, x = 0 near its middle.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

Path = npt.NDArray[np.float64]
"""One stroke without lifting the pen: ``float64[points, 2]``, (x, y)."""
Point = Sequence[float] | npt.NDArray[np.float64]

STEPS: Final = 8
JITTER: Final = 0.022


def line(hand: np.random.Generator, *points: Point, jitter: float = JITTER, bow: float = 0.04) -> Path:
    """Straight strokes from point to point with corners between them, each bowed a little as a wrist bows it."""
    corners = _jittered(hand, points, jitter)
    pieces = []
    for start, end in pairwise(corners):
        along = np.linspace(0, 1, STEPS)[:, None]
        across = np.array([-(end - start)[1], (end - start)[0]])
        pieces.append(start + (end - start) * along + across * hand.normal(0, bow) * 4 * along * (1 - along))
    return np.concatenate(pieces)


def curve(hand: np.random.Generator, *points: Point, jitter: float = JITTER) -> Path:
    """A smooth stroke through the points (Catmull-Rom; the ends run out straight)."""
    knots = _jittered(hand, points, jitter)
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
    hand: np.random.Generator,
    middle: Point,
    radii: Point,
    start: float,
    sweep: float,
    drift: float = 0.05,
) -> Path:
    """A round stroke about ``middle``: from angle ``start`` over ``sweep`` degrees (0 right, 90 down, so + is clockwise).

    It is no ellipse: the radius swells and drifts, so that the end of a full turn seldom meets its beginning.
    """
    degrees = np.linspace(start, start + sweep, max(6, int(abs(sweep) / 9)))
    angle = np.deg2rad(degrees)
    radius = 1 + np.linspace(0, hand.normal(0, drift), len(angle))
    for order in (2, 3):
        radius = radius + hand.normal(0, 0.04) * np.cos(order * angle + hand.uniform(0, 2 * np.pi))
    x = middle[0] + hand.normal(0, JITTER) + radii[0] * radius * np.cos(angle)
    y = middle[1] + hand.normal(0, JITTER) + radii[1] * radius * np.sin(angle)
    return np.stack((x, y), axis=1)


def joined(*parts: Path) -> Path:
    """Strokes one after the other without lifting the pen."""
    return np.concatenate(parts)


def turned(path: Path, degrees: float, middle: Point) -> Path:
    """The stroke turned clockwise about a point."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((path - middle) @ rotation + middle)


def _jittered(hand: np.random.Generator, points: Sequence[Point], jitter: float) -> Path:
    return np.asarray(points, dtype=np.float64) + hand.normal(0, jitter, (len(points), 2))
