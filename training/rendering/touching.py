"""Renders characters that touch as a segmentation offers them: pairs that are no character, and single ones cut out."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
from PIL import Image

from preprocessing.geometry import stroke_width
from preprocessing.segmentation.pieces import divide
from training.data.datasets import Images, LabelledImages
from training.data.image_sets import ImageSet
from training.data.outliers import outlier_set
from training.evaluation.multi_character import scale_scan
from training.rendering.composition import SMALLER, GlyphLine, Ink, line_of
from training.rendering.redrawing import random_width

# The height of the characters in pixels, and the blank margin around them.
HEIGHT: Final = 48
MARGIN: Final = 8
# The probability that a part of a pair is missing, and what share of the character.
INCOMPLETE: Final = 0.4
MISSING: Final = (0.1, 0.45)
# A line is cut into at most so many pieces. Pieces are taken for a character if both sides are within SIDES, a share of the
# height, of its own, and their ink differs by at most the share AMOUNT from its ink.
MAX_PIECES: Final = 16
SIDES: Final = 0.25
AMOUNT: Final = 0.15
# The share of the lines that is redrawn with one pen.
REDRAWN: Final = 0.5


def cut_out(scans: LabelledImages, count: int, seed: int, *, sides: float = SIDES, redrawn: float = REDRAWN) -> ImageSet:
    """Create a set of ``count`` random scans that are cut out of lines in which they touch other scans.

    ``sides`` is how close the sides of what is cut out must be to those of the scan, as a share of the height; ``redrawn`` is
    the share of the lines that is redrawn with one pen.
    """
    places = np.random.default_rng(seed).integers(len(scans), size=(count, 3))
    render = partial(render_cut, sides=sides, redrawn=redrawn)
    return ImageSet(render, scans.images[places], scans.labels[places[:, 0]], seed)


def pairs(scans: Images, count: int, seed: int, *, redrawn: float = REDRAWN) -> ImageSet:
    """Create a set of ``count`` random pairs of scans ``uint8[N, 28, 28]`` that touch, as outliers.

    The share ``redrawn`` of the pairs is redrawn with one pen.
    """
    places = np.random.default_rng(seed).integers(len(scans), size=(count, 2))
    return outlier_set(partial(render_pair, redrawn=redrawn), scans[places], seed)


def render_pair(pair: Images, rng: np.random.Generator, redrawn: float = REDRAWN) -> Image.Image:
    """Render two characters ``uint8[2, 28, 28]``, white on black, that touch, at times without a part of one: mode "L".

    With the probability ``redrawn`` both are redrawn with one pen.
    """
    first, second = _glyphs(pair, rng, redrawn)
    line = _touching([first, second], rng).ink
    if rng.random() < INCOMPLETE:
        missing, at_left = rng.uniform(*MISSING), rng.random() < 0.5
        side = first if at_left else second
        count = round(missing * side.shape[1])
        line = line[:, count:] if at_left else line[:, : line.shape[1] - count]
    return Image.fromarray(np.pad(line, MARGIN))


def render_cut(characters: Images, rng: np.random.Generator, sides: float = SIDES, redrawn: float = REDRAWN) -> Image.Image:
    """Render the first of three characters ``uint8[3, 28, 28]``, white on black, as cut out of a line: mode "L".

    It touches one of the others or both, and is cut as ``preprocessing.segmentation`` cuts: with a bit of its neighbours, or
    without one of its own. Where no cut comes within ``sides`` of its own sides, a share of the height, it is whole. With the
    probability ``redrawn`` all are redrawn with one pen.
    """
    glyph, *others = _glyphs(characters, rng, redrawn)
    place = int(rng.integers(3))
    glyphs = [[glyph, others[0]], [others[0], glyph], [others[0], glyph, others[1]]][place]
    line = _touching(glyphs, rng)
    cut = _cut_out(line, glyph, line.spans[min(place, 1)], sides)
    return Image.fromarray(np.pad(glyph if cut is None else cut, MARGIN))


def _glyphs(characters: Images, rng: np.random.Generator, redrawn: float) -> list[Ink]:
    """Scale scans to about one height, and redraw the share ``redrawn`` of the lines with one pen."""
    pen = random_width(rng) if rng.random() < redrawn else None
    return [scale_scan(scan, HEIGHT * rng.uniform(1 - SMALLER, 1), pen) for scan in characters]


def _touching(glyphs: Sequence[Ink], rng: np.random.Generator) -> GlyphLine:
    """Set glyphs side by side without gaps."""
    return line_of(glyphs, 0, rng, gaps=(-1, -1))


def _cut_out(line: GlyphLine, glyph: Ink, span: tuple[int, int], sides: float) -> Ink | None:
    """The consecutive pieces of a line that come closest to a glyph in the columns ``span``; None if none is close."""
    pieces = [ink for ink, _ in divide(line.ink, max(1.0, stroke_width(line.ink)), MAX_PIECES)]
    closest, least = None, sides * HEIGHT
    for first in range(len(pieces)):
        for last in range(first + 1, len(pieces) + 1):
            ink: Ink = np.max(pieces[first:last], axis=0)
            columns = np.flatnonzero(ink.any(axis=0))
            difference = max(abs(int(columns[0]) - span[0]), abs(int(columns[-1]) + 1 - span[1]))
            same_amount = abs(float(ink.sum()) / float(glyph.sum()) - 1) <= AMOUNT
            if same_amount and last - first < len(pieces) and difference < least:
                closest, least = ink, difference
    return closest
