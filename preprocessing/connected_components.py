"""Connected-component labelling of masks, and bounding boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from preprocessing.pixels import Box, Grey

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Component:
    """A connected component of ink: its label, the sum and the maximum of its levels, and its bounding box."""

    label: int
    mass: float
    peak: int
    box: Box

    def distance(self, box: Box) -> int:
        """Pixels between two boxes along the axis on which they are farther apart; 0 where they overlap."""
        across = max(self.box[0] - box[2], box[0] - self.box[2])
        down = max(self.box[1] - box[3], box[1] - self.box[3])
        return max(0, across, down)


class LabelledComponents(NamedTuple):
    """Connected components, and the label of every pixel: ``labels`` ``int32[H,W]``."""

    components: list[Component]
    labels: Labels


def bounding_box(ink: Grey) -> tuple[Box, bool]:
    """The bounding box of ink, of which there must be some, and whether the ink stands alone.

    It stands alone when it touches no edge and its box has no empty row or column: there is nothing to tell apart.
    """
    columns = np.bitwise_or.reduce(ink, axis=0).nonzero()[0]  # a third faster than any()
    rows = np.bitwise_or.reduce(ink, axis=1).nonzero()[0]
    left, top, right, bottom = box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    height, width = ink.shape
    has_no_gap = right - left == len(columns) and bottom - top == len(rows)
    return box, has_no_gap and left > 0 and top > 0 and right < width and bottom < height


def union_box(components: Sequence[Component]) -> Box:
    """The smallest box around all components."""
    lefts, tops, rights, bottoms = zip(*(component.box for component in components), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def label_components(mask: Mask) -> tuple[Labels, int]:
    """Number the 8-connected components of ``bool[H,W]`` from 1: ``int32[H,W]`` with 0 elsewhere, and how many there are.

    The runs of each row are joined with the runs they touch in the row above (union-find).
    """
    height, width = mask.shape
    steps = np.diff(mask.astype(np.int8), axis=1, prepend=0, append=0)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    bounds = np.searchsorted(rows, np.arange(height + 1)).tolist()
    first, last = starts.tolist(), ends.tolist()
    for row in range(1, height):
        upper, upper_end = bounds[row - 1], bounds[row]
        for run in range(bounds[row], bounds[row + 1]):
            while upper < upper_end and last[upper] < first[run]:
                upper += 1
            touching = upper
            while touching < upper_end and first[touching] <= last[run]:
                parents[root(touching)] = root(run)
                touching += 1
    roots = np.array([root(run) for run in range(len(rows))], dtype=np.int64)
    _, numbers = np.unique(roots, return_inverse=True)
    lengths = ends - starts
    offsets = np.repeat(rows * width + starts - (lengths.cumsum() - lengths), lengths) + np.arange(lengths.sum())
    labels = np.zeros(height * width, dtype=np.int32)
    labels[offsets] = np.repeat(numbers + 1, lengths)
    return labels.reshape(height, width), int(numbers.max(initial=-1)) + 1


def is_connected(mask: Mask) -> bool:
    """Whether the set pixels of ``bool[H,W]`` are one 8-connected component: a flood fill on the bits of a large integer.

    For small images this is faster than ``label_components``; the work grows with the pixels times the length of the strokes.
    """
    width = mask.shape[1] + 1  # an empty column separates the end of a row from the start of the next
    padded = np.zeros((mask.shape[0], width), dtype=np.bool_)
    padded[:, :-1] = mask
    bits = int.from_bytes(np.packbits(padded).tobytes(), "big")
    reached, before = bits & -bits, 0
    while reached != before:
        before = reached
        wide = reached | reached << 1 | reached >> 1
        reached = (wide | wide << width | wide >> width) & bits
    return reached == bits


def measure_components(labels: Labels, count: int, ink: Grey) -> list[Component]:
    """Mass, peak and bounding box of every component."""
    ys, xs = np.nonzero(labels)
    owners, values = labels[ys, xs], ink[ys, xs]
    mass = np.bincount(owners, weights=values, minlength=count + 1)
    peak = np.zeros(count + 1, dtype=np.int64)
    low = np.full((count + 1, 2), np.iinfo(np.int64).max)
    high = np.full((count + 1, 2), -1)
    np.maximum.at(peak, owners, values)
    for axis, positions in enumerate((xs, ys)):
        np.minimum.at(low[:, axis], owners, positions)
        np.maximum.at(high[:, axis], owners, positions)
    return [
        Component(i, float(mass[i]), int(peak[i]), (int(low[i, 0]), int(low[i, 1]), int(high[i, 0]) + 1, int(high[i, 1]) + 1))
        for i in range(1, count + 1)
    ]


def dilate_mask(mask: Mask) -> Mask:
    """The mask and its 8-neighbours."""
    vertical: Mask = mask.copy()
    vertical[1:] |= mask[:-1]
    vertical[:-1] |= mask[1:]
    dilated: Mask = vertical.copy()
    dilated[:, 1:] |= vertical[:, :-1]
    dilated[:, :-1] |= vertical[:, 1:]
    return dilated
