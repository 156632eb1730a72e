"""Finds where characters that touch can be cut apart: paths from the top to the bottom that cross little ink."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.pixels import to_array

Paths = npt.NDArray[np.int64]

# Paths are searched in ink reduced to about so many rows.
ROWS: Final = 36
MIN_ROWS: Final = 8
# What a step aside and a stroke cost beside the ink that is crossed, in widths of a stroke. Cuts lie at least MIN_SPACE, a
# share of the height, from each other and from the ends.
STEP: Final = 0.03
CROSSING: Final = 1.2
MIN_SPACE: Final = 0.14
# Ink that may be one character has at most one cut for each NARROW, a share of the height, of its width, which cost at most
# MAX_CROSSED. Ink wider than SEVERAL is more than one character, which may touch along a stroke: it has at most one cut for
# each CLOSE, at any cost.
NARROW: Final = 0.35
MAX_CROSSED: Final = 3.0
SEVERAL: Final = 1.1
CLOSE: Final = 0.2
# In ink for at most two characters, a cut at an end counts as if it crossed so much more.
BALANCE: Final = 1.0
TWO: Final = 1.3


class Cuts(NamedTuple):
    """Cuts from the left: the column of each in every row ``int64[cuts,H]``, and the stroke widths that each crosses."""

    paths: Paths
    crossed: list[float]


def find_cuts(crop: Image.Image, pen: float, most: int) -> Cuts:
    """Find at most ``most`` cuts through the ink of an "L" image; ``pen`` is the width of its strokes in pixels.

    A path goes down one row at a time, straight or one column aside. The best path through each column of the middle row is
    found by dynamic programming from both ends; cuts are the local minima among them.
    """
    scale = max(1, round(crop.height / ROWS))
    level = to_array(crop.reduce(scale) if scale > 1 else crop).astype(np.float32) / np.float32(255)
    rows, columns = level.shape
    if rows < MIN_ROWS:
        return Cuts(np.empty((0, crop.height), dtype=np.int64), [])
    ink = level * np.float32(scale / pen)
    change = np.abs(np.diff(level, axis=0)) * np.float32(CROSSING / 2)
    middle = rows // 2
    halves = np.zeros((2, rows - middle, columns), dtype=np.float32)
    halves[0, rows - 2 * middle :] = ink[:middle]  # from the top down, and from the bottom up to the middle row
    halves[0, rows - 2 * middle + 1 :] += change[: middle - 1]
    halves[0, rows - 2 * middle] += level[0] * np.float32(CROSSING / 2)
    halves[1] = ink[middle:][::-1]
    halves[1, 1:] += change[middle:][::-1]
    halves[1, 0] += level[-1] * np.float32(CROSSING / 2)
    halves[1, -1] += change[middle - 1]
    costs = np.full((rows - middle, 2, columns + 2), np.inf, dtype=np.float32)  # of the best path to each pixel
    costs[0, :, 1:-1] = halves[:, 0]
    for row in range(1, rows - middle):
        before, best = costs[row - 1], costs[row, :, 1:-1]
        np.minimum(before[:, :-2], before[:, 2:], out=best)
        best += STEP
        np.minimum(best, before[:, 1:-1], out=best)
        best += halves[:, row]
    through = costs[-1, 0, 1:-1] + costs[-1, 1, 1:-1]
    balance = np.abs(np.linspace(-1, 1, columns, dtype=np.float32)) * np.float32(BALANCE)
    ranked = through + balance if columns < TWO * rows else through
    narrow, limit = (CLOSE, np.inf) if columns > SEVERAL * rows else (NARROW, MAX_CROSSED)
    space, count = max(2, round(MIN_SPACE * rows)), min(most, int(columns / (narrow * rows)))
    chosen = _local_minima(ranked, space, count, limit)
    paths = np.empty((len(chosen), rows), dtype=np.int64)
    for path, column in zip(paths, chosen, strict=True):
        path[middle - 1 :: -1] = _follow(costs[:, 0], column)[: middle or None]
        path[middle:] = _follow(costs[:, 1], column)
    full = np.minimum(np.repeat(paths * scale + scale // 2, scale, axis=1)[:, : crop.height], crop.width)
    return Cuts(full, [float(through[column]) for column in chosen])


def _follow(costs: npt.NDArray[np.float32], column: int) -> list[int]:
    """The columns of the best path from the last row, where it is at ``column``, to the first; ``costs`` have a column more on
    either side."""
    columns, at = [column], column + 1
    for row in range(len(costs) - 2, -1, -1):
        left, straight, right = costs.item(row, at - 1), costs.item(row, at), costs.item(row, at + 1)
        if min(left, right) + STEP < straight:
            at += -1 if left < right else 1
        columns.append(at - 1)
    return columns


def _local_minima(through: npt.NDArray[np.float32], space: int, most: int, limit: float) -> list[int]:
    """The columns of at most ``most`` of the lowest values, up to ``limit``, at least ``space`` apart and from the ends,
    sorted."""
    left = through.copy()
    left[:space] = left[len(left) - space :] = np.inf
    chosen: list[int] = []
    while len(chosen) < most:
        column = int(left.argmin())
        if left[column] > limit or np.isinf(left[column]):
            break
        equal = np.flatnonzero(left[column:] > left[column])
        column += (int(equal[0]) - 1 if len(equal) else 0) // 2  # the middle of a flat minimum
        chosen.append(column)
        left[max(0, column - space) : column + space + 1] = np.inf
    return sorted(chosen)
