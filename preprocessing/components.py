"""Which ink belongs to the drawing: specks, ruled lines and dark edges do not."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from preprocessing.levels import Box, Grey

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]

# A row or column that is inked over this share of its length is a line or an edge, not a stroke.
LINE_COVER: Final = 0.88
LINE_WIDTH: Final = 0.05  # of the picture's side
EDGE_WIDTH: Final = 0.2
# Pixels of a picture that is flooded as a number.
SMALL: Final = 1024
# A piece of ink must hold a pixel of this strength, or it is noise.
SEED: Final = 110
# Pieces beside the main one: heavy ones may lie a little way off, light ones only close by.
HEAVY: Final = 0.08
HEAVY_REACH: Final = 0.5
LIGHT: Final = 0.008
LIGHT_REACH: Final = 0.1
# A piece that lies within this share of the side along an edge is a shadow or a frame.
EDGE: Final = 0.07


def bounds(ink: Grey) -> tuple[Box, bool]:
    """The box of the ink, of which there must be some, and whether it stands alone.

    It does when it touches no edge and no empty row or column runs through it: there is nothing to tell apart.
    """
    columns = np.bitwise_or.reduce(ink, axis=0).nonzero()[0]  # a third faster than any()
    rows = np.bitwise_or.reduce(ink, axis=1).nonzero()[0]
    left, top, right, bottom = box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    height, width = ink.shape
    whole = right - left == len(columns) and bottom - top == len(rows)
    return box, whole and left > 0 and top > 0 and right < width and bottom < height


def main_ink(ink: Grey, noise: float) -> "Drawing | None":
    """What is drawn, without lines, edges and specks, or None when nothing is left; ``noise`` is the level that noise stays
    below."""
    mask = ink > noise
    unlined = mask & ~lines(mask) & ~lines(mask.T).T
    inked = unlined if unlined.any() else mask
    if inked.size <= SMALL and is_one_piece(inked):
        belongs = inked
        if np.maximum.reduce(ink[inked], initial=0) < SEED:
            return None
        views = [Pieces([], inked.astype(np.int32))]
    else:
        pieces, labels = view = strong_pieces(inked, ink)
        if not pieces:
            return None
        belongs, views = np.isin(labels, [piece.label for piece in choose(pieces)]), [view]
    if np.count_nonzero(inked) < np.count_nonzero(mask):
        lined, labels = strong_pieces(mask, ink)
        views.append(Pieces([piece for piece in lined if not _touches_edge(piece, ink.shape)], labels))
    return Drawing(np.where(grown(belongs), ink, 0).astype(np.uint8), views)


def strong_pieces(inked: Mask, ink: Grey) -> "Pieces":
    """The pieces of ``inked`` that are no noise and no shadow along an edge."""
    labels, count = label(inked)
    return Pieces(off_edges([piece for piece in measure(labels, count, ink) if piece.strongest >= SEED], ink.shape), labels)


@dataclass(frozen=True, slots=True)
class Piece:
    """Connected ink: its label, the sum and the maximum of its levels, and its box."""

    label: int
    mass: float
    strongest: int
    box: Box

    def distance(self, box: Box) -> int:
        """Pixels between two boxes along the farther axis; 0 when they overlap."""
        across = max(self.box[0] - box[2], box[0] - self.box[2])
        down = max(self.box[1] - box[3], box[1] - self.box[3])
        return max(0, across, down)


class Pieces(NamedTuple):
    """Pieces of ink, and which pixels belong to which: ``labels`` ``int32[H,W]``."""

    pieces: list[Piece]
    labels: Labels


class Drawing(NamedTuple):
    """The ink of the heaviest piece and of those that belong to it, and all pieces that could be characters.

    They are given without lines and, where there are any, with them as well, but for what touches an edge of the picture: a
    straight 1 beside another digit looks like a line. Pieces too far away to belong to the heaviest are among them.
    """

    ink: Grey
    views: list[Pieces]


def off_edges(pieces: list[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """The pieces that are no shadow or frame along an edge of the picture; all of them where every one is."""
    return [piece for piece in pieces if not _hugs_edge(piece, shape)] or pieces


def choose(pieces: list[Piece]) -> list[Piece]:
    """The heaviest of one or more pieces, and those that belong to it by weight and nearness."""
    main, *others = sorted(pieces, key=lambda piece: -piece.mass)
    kept, box = [main], main.box
    size = max(box[2] - box[0], box[3] - box[1])
    for piece in others:
        reach = HEAVY_REACH if piece.mass >= HEAVY * main.mass else LIGHT_REACH if piece.mass >= LIGHT * main.mass else -1
        if piece.distance(box) <= reach * size:
            kept.append(piece)
            box = (min(box[0], piece.box[0]), min(box[1], piece.box[1]), max(box[2], piece.box[2]), max(box[3], piece.box[3]))
    return kept


def _hugs_edge(piece: Piece, shape: tuple[int, ...]) -> bool:
    height, width = shape
    left, top, right, bottom = piece.box
    deep_x, deep_y = EDGE * width, EDGE * height
    upright = right <= deep_x or left >= width - deep_x
    level = bottom <= deep_y or top >= height - deep_y
    return _touches_edge(piece, shape) and (upright or level)


def _touches_edge(piece: Piece, shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = piece.box
    return left == 0 or top == 0 or right == shape[1] or bottom == shape[0]


def lines(mask: Mask) -> Mask:
    """The pixels of ``bool[H,W]`` that belong to level lines from side to side or to a dark band along the top or bottom.

    Where ink runs on above or below a line, a stroke crosses it and the crossing stays.
    """
    height, width = mask.shape
    found = np.zeros_like(mask)
    if min(height, width) < 24:
        return found
    margin = round(EDGE * width)
    thick = mask.copy()
    thick[1:] |= mask[:-1]
    thick[:-1] |= mask[1:]
    bands = _runs(thick.mean(axis=1) >= LINE_COVER)
    thin = [(start, end) for start, end in bands if end - start <= max(4, LINE_WIDTH * height)]
    for start, end in bands:
        beside: Mask = np.asarray(mask[max(0, start - 2) : start].any(axis=0) | mask[end : end + 2].any(axis=0))
        at_edge = (start <= 1 or end >= height - 1) and end - start <= EDGE_WIDTH * height
        if ((start, end) in thin and len(thin) > 1) or (at_edge and not beside[margin : width - margin].any()):
            found[start:end, ~beside] = True
    return found & mask


def label(mask: Mask) -> tuple[Labels, int]:
    """Number the 8-connected pieces of ``bool[H,W]`` from 1: ``int32[H,W]`` with 0 for none, and how many there are.

    Runs of each row are joined with the runs they touch in the row above (union-find).
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


def is_one_piece(mask: Mask) -> bool:
    """Whether all of ``bool[H,W]`` that is set is one 8-connected piece: flooded as the bits of a number, from the last one.

    For small pictures this is faster than ``label``; the work grows with the pixels times the length of the strokes.
    """
    width = mask.shape[1] + 1  # an empty column keeps the ends of rows apart
    padded = np.zeros((mask.shape[0], width), dtype=np.bool_)
    padded[:, :-1] = mask
    bits = int.from_bytes(np.packbits(padded).tobytes(), "big")
    reached, before = bits & -bits, 0
    while reached != before:
        before = reached
        wide = reached | reached << 1 | reached >> 1
        reached = (wide | wide << width | wide >> width) & bits
    return reached == bits


def measure(labels: Labels, count: int, ink: Grey) -> list[Piece]:
    """Mass, strength and box of every piece."""
    ys, xs = np.nonzero(labels)
    of, levels = labels[ys, xs], ink[ys, xs]
    mass = np.bincount(of, weights=levels, minlength=count + 1)
    strongest = np.zeros(count + 1, dtype=np.int64)
    low = np.full((count + 1, 2), np.iinfo(np.int64).max)
    high = np.full((count + 1, 2), -1)
    np.maximum.at(strongest, of, levels)
    for axis, places in enumerate((xs, ys)):
        np.minimum.at(low[:, axis], of, places)
        np.maximum.at(high[:, axis], of, places)
    return [
        Piece(i, float(mass[i]), int(strongest[i]), (int(low[i, 0]), int(low[i, 1]), int(high[i, 0]) + 1, int(high[i, 1]) + 1))
        for i in range(1, count + 1)
    ]


def grown(mask: Mask) -> Mask:
    """The mask and its 8 neighbours."""
    wide: Mask = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    tall: Mask = wide.copy()
    tall[:, 1:] |= wide[:, :-1]
    tall[:, :-1] |= wide[:, 1:]
    return tall


def _runs(line: Mask) -> list[tuple[int, int]]:
    steps = np.diff(line.astype(np.int8), prepend=0, append=0)
    return list(zip(np.nonzero(steps == 1)[0].tolist(), np.nonzero(steps == -1)[0].tolist(), strict=True))
