"""How many separate characters the pieces of ink of a picture make up.

A character is often several pieces: the dot of an i, the bar of a 5, a broken 8. Two pieces are two characters only where both
are of about the size of the largest, neither a dot nor a bar, and lie side by side, one above the other or far apart, with
blank paper between them.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from preprocessing.components import SEED, Labels, Piece, is_one_piece, label, measure
from preprocessing.levels import Box, Grey, levels, picture

# A piece is a character by itself, or most of one, where its longer side and its mass are these shares of the largest ones, and
# where it is as high as this share of its width: what is smaller or flatter is a dot, a bar or a line.
MIN_SIZE: Final = 0.5
MIN_MASS: Final = 0.1
MIN_ASPECT: Final = 0.35
# What fills this share of a box whose sides differ by no more than this is a dot, however large it is beside others.
DOT_FILL: Final = 0.7
DOT_ASPECT: Final = 0.6
# The least blank between two characters side by side, side by side but slanted, one above the other, and anywhere: in longer
# sides of the larger one.
GAP_ACROSS: Final = 0.04
GAP_SLANTED: Final = 0.08
GAP_DOWN: Final = 0.08
GAP_ANYWHERE: Final = 0.5
# Side by side are those that share this part of the lower one's rows.
ALIGNED: Final = 0.5
# One above the other they are alike in size, which an i and its dot are not, and not as flat as the halves of a broken 3.
ALIKE: Final = 0.7
MIN_ASPECT_DOWN: Final = 0.5
# A bar that takes up this share of the gap joins its neighbours, as that of an H does.
BRIDGED: Final = 0.6
# Rows of ink without a blank column that are looked at first, in sixteenths of its height; then the cells of the longer side of
# a grid, which bound the work, and the mean level above which a cell is inked.
MIDDLE_ROWS: Final = (8, 5, 11, 4, 6, 10, 12)
GRID: Final = 32
COVERED: Final = 32
# A page of text is not counted to its end: no more pieces than these, the heaviest, are looked at.
MOST_CHARACTERS: Final = 20


def count_overlapping(ink: Grey, box: Box, noise: float) -> int:
    """How many separate characters there are in ink without a blank column or row in its box, as ``count`` counts them.

    Only slanted neighbours can be separate there. Nearly always one row of the middle that is a single run, or a flood of a
    coarse grid, shows at little cost that there is one character.
    """
    left, top, right, bottom = box
    height = bottom - top
    for row in MIDDLE_ROWS:
        if b"\0" not in ink[top + height * row // 16, left:right].tobytes().strip(b"\0"):
            return 1
    cut = ink[top:bottom, left:right]
    if is_one_piece(_coarse(cut) > COVERED):
        return 1
    labels, number = label(cut > noise)
    return count([piece for piece in measure(labels, number, cut) if piece.strongest >= SEED], labels)


def _coarse(cut: Grey) -> Grey:
    """Ink averaged into at most ``GRID`` cells a side; of large ink every second pixel is enough."""
    step = -(-max(cut.shape) // GRID)
    if step == 1:
        return cut
    skipped = 2 if step > 2 else 1
    return levels(picture(cut[::skipped, ::skipped]).reduce(-(-step // skipped)))


def count(pieces: Sequence[Piece], labels: Labels) -> int:
    """How many separate characters the pieces make up: at least 1, at most ``MOST_CHARACTERS``.

    ``labels`` ``int32[H,W]`` say which pixels belong to which piece.
    """
    if len(pieces) < 2:
        return 1
    size = max((_size(piece) for piece in pieces if not _is_flat(piece)), default=0)
    mass = max(piece.mass for piece in pieces)
    bodies: list[Piece] = []
    bars: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: -piece.mass)[:MOST_CHARACTERS]:
        is_body = _size(piece) >= MIN_SIZE * size and piece.mass >= MIN_MASS * mass
        (bodies if is_body and not _is_flat(piece) and not _is_dot(piece) else bars).append(piece)
    separate = [(i, j) for i, j in combinations(range(len(bodies)), 2) if _are_separate(bodies[i], bodies[j], bars, labels)]
    return _largest_group(len(bodies), {*separate, *((j, i) for i, j in separate)}) if separate else 1


def _largest_group(count: int, separate: set[tuple[int, int]]) -> int:
    """The most of ``count`` pieces that are all ``separate`` from each other, found by starting from each of them in turn."""
    most = 0
    for first in range(count):
        group = [first]
        group += [piece for piece in range(count) if all((piece, other) in separate for other in group)]
        most = max(most, len(group))
    return most


def _are_separate(piece: Piece, other: Piece, bars: Sequence[Piece], labels: Labels) -> bool:
    """Whether two pieces are two characters; ``bars`` are the pieces that are none by themselves."""
    small, large = sorted((_size(piece), _size(other)))
    low = min(_height(piece), _height(other))
    across, down = _gap(piece, other, 0), _gap(piece, other, 1)
    if max(across, down) > GAP_ANYWHERE * large or (across > GAP_ACROSS * large and -down >= ALIGNED * low):
        return not _are_joined(piece, other, bars)
    if -down >= ALIGNED * low and _slanted_gap(piece, other, labels) > GAP_SLANTED * large:
        return True
    return down > GAP_DOWN * large and small >= ALIKE * large and low >= MIN_ASPECT_DOWN * max(_width(piece), _width(other))


def _slanted_gap(piece: Piece, other: Piece, labels: Labels) -> int:
    """The least blank in any row between a piece and another to the right of it in every row; 0 or less where it is not."""
    left, right = sorted((piece, other), key=lambda one: one.box[0] + one.box[2])
    rows = labels[max(left.box[1], right.box[1]) : min(left.box[3], right.box[3])]
    ends = rows.shape[1] - (rows[:, ::-1] == left.label).argmax(axis=1)
    starts = (rows == right.label).argmax(axis=1)
    return int((starts - ends).min())


def _are_joined(piece: Piece, other: Piece, bars: Sequence[Piece]) -> bool:
    """Whether bars take up most of the columns between two pieces side by side, in rows that both have."""
    left, right = sorted((piece.box, other.box))
    top, bottom = max(left[1], right[1]), min(left[3], right[3])
    crossing = [bar.box for bar in bars if bar.box[1] < bottom and bar.box[3] > top]
    taken = sum(max(0, min(box[2], right[0]) - max(box[0], left[2])) for box in crossing)
    return taken >= BRIDGED * (right[0] - left[2]) > 0


def _gap(piece: Piece, other: Piece, axis: int) -> int:
    """Blank columns (axis 0) or rows (axis 1) between the boxes of two pieces; where they overlap, how far, as less than 0."""
    return max(piece.box[axis], other.box[axis]) - min(piece.box[axis + 2], other.box[axis + 2])


def _is_flat(piece: Piece) -> bool:
    return _height(piece) < MIN_ASPECT * _width(piece)


def _is_dot(piece: Piece) -> bool:
    short, long = sorted((_width(piece), _height(piece)))
    return short >= DOT_ASPECT * long and piece.mass >= DOT_FILL * piece.strongest * short * long


def _size(piece: Piece) -> int:
    return max(_width(piece), _height(piece))


def _width(piece: Piece) -> int:
    return piece.box[2] - piece.box[0]


def _height(piece: Piece) -> int:
    return piece.box[3] - piece.box[1]
