"""Cuts the characters of a line into pieces, and unites pieces to candidates."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from preprocessing.connected_components import bounding_box, union_box
from preprocessing.pixels import Box, Grey, shifted, to_image
from preprocessing.segmentation.cuts import find_cuts
from preprocessing.segmentation.page import Page
from preprocessing.segmentation.text_lines import Group, common, height_of

# All lengths are shares of the height of the line. Ink wider than WIDE is cut; a candidate of pieces is at most MAX_WIDTH wide,
# or MAX_WHOLE where nothing at its ends is cut. Ink of at most TWO has no more than two characters.
WIDE: Final = 0.75
MAX_WIDTH: Final = 1.3
MAX_WHOLE: Final = 1.8
TWO: Final = 1.3
# Pieces with blank paper of at most MAX_GAP between them may be one character that is at most MAX_UNITED wide.
MAX_GAP: Final = 0.12
MAX_UNITED: Final = 1.0
# Summands of the prior: for the cut at the left and each stroke width that it crosses; for each union over blank paper, and
# its gap, which is negative where columns overlap, by MAX_OVERLAP at most; for each height beyond USUAL_WIDTH and below
# USUAL_HEIGHT; for all ink of a line, if it has no gap. They were chosen by random search on numbers of validation images.
CUT: Final = -0.4
CROSSED: Final = -0.1
UNITED: Final = -1.2
GAP: Final = -6.5
MAX_OVERLAP: Final = 0.3
WIDER: Final = -1.85
USUAL_WIDTH: Final = 0.83
SHORTER: Final = -10.0
USUAL_HEIGHT: Final = 0.7
LONE: Final = 0.4
# A cut leaves at least this share of the ink on either side.
MIN_PIECE: Final = 0.04


class Piece(NamedTuple):
    """A part of a line, which is not divided further: its ink ``uint8[h,w]`` and its box on the page.

    ``crossed`` is how many stroke widths the cut at its left crosses; None where there is blank paper. An ``inner`` piece lies
    between cuts of ink that is too narrow for three characters.
    """

    ink: Grey
    box: Box
    crossed: float | None
    inner: bool = False


class Candidate(NamedTuple):
    """The pieces ``[first, last)`` of a line as one character: its crop, its box on the page and its prior."""

    first: int
    last: int
    crop: Image.Image
    box: Box
    prior: float


def cut_group(page: Page, group: Group, height: float, pen: float, most: int) -> list[Piece]:
    """The pieces of a group of components: one, or at most ``most`` where it is wide for a line of this ``height``."""
    box = union_box(group)
    left, top, right, bottom = box
    part = page.ink[top:bottom, left:right]
    labels = page.labels[top:bottom, left:right]
    mask = labels == group[0].label
    for one in group[1:]:
        mask |= labels == one.label
    ink: Grey = np.where(mask, part, 0).astype(np.uint8)
    return [Piece(ink, box, None)] if right - left <= WIDE * height else cut_ink(ink, box, height, pen, most)


def cut_ink(ink: Grey, box: Box, height: float, pen: float, most: int) -> list[Piece]:
    """Cut ink ``uint8[H,W]`` that has a box of the page, in a line of this ``height``, into at most ``most`` pieces."""
    pieces = [_piece(part, box, crossed) for part, crossed in divide(ink, pen, most)]
    if box[2] - box[0] <= TWO * height:
        pieces[1:-1] = [piece._replace(inner=True) for piece in pieces[1:-1]]
    return pieces


def divide(ink: Grey, pen: float, most: int) -> list[tuple[Grey, float | None]]:
    """Ink ``uint8[H,W]``, whose strokes are ``pen`` pixels wide, as at most ``most`` parts of its size from the left, and how
    many stroke widths the cut at the left of each crosses."""
    cuts = find_cuts(to_image(ink), pen, most - 1)
    columns = np.arange(ink.shape[1])
    parts: list[tuple[Grey, float | None]] = []
    start, crossed, least = np.zeros(len(ink), dtype=np.int64), None, MIN_PIECE * float(ink.sum())
    for path, cost in zip(cuts.paths, cuts.crossed, strict=True):
        before, after = ink * (columns < path[:, None]), ink * (columns >= path[:, None])
        part = before * (columns >= start[:, None])
        if min(float(part.sum()), float(after.sum())) >= least:
            parts.append((part, crossed))
            start, crossed = path, cost
    return [*parts, (ink * (columns >= start[:, None]), crossed)]


def unite(pieces: Sequence[Piece], height: float) -> list[Candidate]:
    """The candidates of a line: every piece, and unions of neighbours that may be one character."""
    candidates = []
    for first, piece in enumerate(pieces):
        box, gaps = piece.box, 0.0
        for last in range(first, len(pieces)):
            following = pieces[last]
            box, gap = joint_box(box, following.box), -common(box, following.box, 0) / height
            width = (box[2] - box[0]) / height
            if last > first and following.crossed is None:
                if gap > MAX_GAP or width > MAX_UNITED:
                    break
                gaps += UNITED + GAP * max(gap, -MAX_OVERLAP)
            is_whole = piece.crossed is None and (last + 1 == len(pieces) or pieces[last + 1].crossed is None)
            is_inner = piece.inner and (following.inner or last == first)
            if is_inner or (last > first and width > (MAX_WHOLE if is_whole else MAX_WIDTH)):
                continue
            ink = piece.ink if last == first else _merge(pieces[first : last + 1], box)
            alone = LONE if is_whole and last + 1 - first == len(pieces) else 0.0
            prior = min(0.0, _prior(piece.crossed, gaps, box, height) + alone)
            candidates.append(Candidate(first, last + 1, to_image(ink), box, prior))
    return candidates


def _prior(crossed: float | None, gaps: float, box: Box, height: float) -> float:
    """The logarithm of how likely a candidate is one character, by its shape."""
    cut = 0.0 if crossed is None else CUT + CROSSED * crossed
    wide = max(0.0, (box[2] - box[0]) / height - USUAL_WIDTH)
    short = max(0.0, USUAL_HEIGHT - height_of(box) / height)
    return cut + gaps + WIDER * wide + SHORTER * short


def joint_box(box: Box, other: Box) -> Box:
    """The smallest box around two."""
    return min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3])


def _merge(pieces: Sequence[Piece], box: Box) -> Grey:
    merged = np.zeros((box[3] - box[1], box[2] - box[0]), dtype=np.uint8)
    for piece in pieces:
        left, top = piece.box[0] - box[0], piece.box[1] - box[1]
        part = merged[top : top + len(piece.ink), left : left + piece.ink.shape[1]]
        np.maximum(part, piece.ink, out=part)
    return merged


def _piece(ink: Grey, box: Box, crossed: float | None) -> Piece:
    """A piece of ink that has the size of a box of the page, without blank rows and columns at its edges."""
    inner = bounding_box(ink)[0]
    left, top, right, bottom = inner
    return Piece(ink[top:bottom, left:right], shifted(box, inner), crossed)


def line_height(groups: Sequence[Group]) -> float:
    """The usual height of the characters of a line: the median."""
    heights = sorted(height_of(union_box(group)) for group in groups)
    tall = [height for height in heights if 2 * height >= heights[-1]]
    return float(tall[len(tall) // 2])
