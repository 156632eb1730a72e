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
    left, right, columns_have_gap = _extent(np.bitwise_or.reduce(ink, axis=0).tobytes())  # a third faster than any()
    top, bottom, rows_have_gap = _extent(np.bitwise_or.reduce(ink, axis=1).tobytes())
    height, width = ink.shape
    has_gap = columns_have_gap or rows_have_gap
    return (left, top, right, bottom), not has_gap and left > 0 and top > 0 and right < width and bottom < height


def _extent(line: bytes) -> tuple[int, int, bool]:
    """Where the first byte that is not 0 is, where the last one ends, and whether a 0 is between them."""
    inked = line.lstrip(b"\0")
    start = len(line) - len(inked)
    inked = inked.rstrip(b"\0")
    return start, start + len(inked), b"\0" in inked


def union_box(components: Sequence[Component]) -> Box:
    """The smallest box around all components."""
    lefts, tops, rights, bottoms = zip(*(component.box for component in components), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


class Runs(NamedTuple):
    """The runs of set pixels along the rows of a mask, in reading order: where each starts in the flat array, how long it is,
    and the number of its component, from 0, of ``components``."""

    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    components: int


def label_components(mask: Mask) -> tuple[Labels, int]:
    """Number the 8-connected components of ``bool[H,W]`` from 1: ``int32[H,W]`` with 0 elsewhere, and how many there are."""
    runs = connect_runs(mask)
    return _paint(runs, mask.shape), runs.components


def find_components(mask: Mask, ink: Grey) -> LabelledComponents:
    """The 8-connected components of ``bool[H,W]``, measured in ``ink``, numbered from 1 in the order of their first pixels."""
    runs, width = connect_runs(mask), mask.shape[1]
    if not runs.components:
        return LabelledComponents([], np.zeros(mask.shape, dtype=np.int32))
    levels = ink.ravel()[_pixels(runs)]
    firsts = runs.lengths.cumsum() - runs.lengths
    mass = np.bincount(runs.numbers, np.add.reduceat(levels, firsts, dtype=np.float64), runs.components)
    peak = np.zeros(runs.components, dtype=np.int64)
    np.maximum.at(peak, runs.numbers, np.maximum.reduceat(levels, firsts))
    rows, lefts = np.divmod(runs.starts, width)
    low = np.full((2, runs.components), mask.size)
    high = np.zeros((2, runs.components), dtype=np.int64)
    for axis, (first, last) in enumerate(((lefts, lefts + runs.lengths), (rows, rows + 1))):
        np.minimum.at(low[axis], runs.numbers, first)
        np.maximum.at(high[axis], runs.numbers, last)
    boxes = np.concatenate([low, high]).T.tolist()
    measured = enumerate(zip(mass.tolist(), peak.tolist(), boxes, strict=True), 1)
    components = [Component(label, total, top, (box[0], box[1], box[2], box[3])) for label, (total, top, box) in measured]
    return LabelledComponents(components, _paint(runs, mask.shape))


def connect_runs(mask: Mask) -> Runs:
    """The runs of ``bool[H,W]``, of which those of an 8-connected component have the same number.

    Each run is joined with those it touches in the row above: it takes the lowest number among them and, by pointer jumping,
    among their neighbours, until nothing changes (Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", Journal
    of Algorithms 3(1), 1982).
    """
    height, width = mask.shape
    stride = width + 2  # blank columns separate the rows
    steps = np.zeros((height, stride), dtype=np.int8)
    steps[:, 1:-1] = mask
    changes = np.flatnonzero(np.diff(steps.ravel()))
    starts, ends = changes[::2], changes[1::2]
    parents = np.arange(len(starts))
    first, last = np.searchsorted(ends, starts - stride), np.searchsorted(starts, ends - stride, side="right")
    counts = np.maximum(last - first, 0)
    lower = np.repeat(parents, counts)
    upper = np.arange(len(lower)) + np.repeat(first - (counts.cumsum() - counts), counts)
    while len(lower):
        tops, bottoms = parents[upper], parents[lower]
        differ = tops != bottoms
        upper, lower, tops, bottoms = upper[differ], lower[differ], tops[differ], bottoms[differ]
        np.minimum.at(parents, np.maximum(tops, bottoms), np.minimum(tops, bottoms))
        while not np.array_equal(roots := parents[parents], parents):
            parents = roots
    is_root = parents == np.arange(len(parents))
    numbers = is_root.cumsum()[parents] - 1 if len(parents) else parents
    return Runs(starts - 2 * (starts // stride), ends - starts, numbers, int(np.count_nonzero(is_root)))


def _paint(runs: Runs, shape: tuple[int, ...]) -> Labels:
    """``int32[H,W]`` with the number of its component, from 1, at every pixel of a run."""
    labels = np.zeros(shape, dtype=np.int32)
    labels.ravel()[_pixels(runs)] = np.repeat(runs.numbers + 1, runs.lengths)
    return labels


def _pixels(runs: Runs) -> npt.NDArray[np.int64]:
    """Where the pixels of all runs are in the flat array."""
    offsets: npt.NDArray[np.int64] = np.arange(int(runs.lengths.sum()))
    return offsets + np.repeat(runs.starts - (runs.lengths.cumsum() - runs.lengths), runs.lengths)


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


def dilate_mask(mask: Mask) -> Mask:
    """The mask and its 8-neighbours."""
    vertical: Mask = mask.copy()
    vertical[1:] |= mask[:-1]
    vertical[:-1] |= mask[1:]
    dilated: Mask = vertical.copy()
    dilated[:, 1:] |= vertical[:, :-1]
    dilated[:, :-1] |= vertical[:, 1:]
    return dilated
