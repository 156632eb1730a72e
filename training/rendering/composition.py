"""Composes pictures of several characters from scans of single ones: a line of writing with one pen, at any gap and slope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.data.datasets import LabelledImages
from training.evaluation.multi_character import as_sent, crop_ink, joined, scale_scan
from training.rendering.redrawing import random_width

# Space between characters in widths of a character, how much it varies within a line, and slopes in degrees.
GAPS: Final = (0.0, 1.0)
GAP_DEVIATION: Final = 0.08
SLOPES: Final = (-10.0, 10.0)
# The height of the characters of a line in pixels, the share of it by which one may be smaller, and by which it may lie higher.
HEIGHTS: Final = (24.0, 160.0)
SMALLER: Final = 0.15
HIGHER: Final = 0.06
# Ink of at least this level touches.
TOUCHING: Final = 60

Ink = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ComposedLine:
    """A picture of a line of characters, its text, and how many neighbours touch."""

    image: Image.Image
    text: str
    touching: int


@dataclass(frozen=True, slots=True)
class GlyphLine:
    """A line of glyphs: its ink ``uint8[H,W]``, how many neighbours touch, and the columns ``[left, right)`` of each glyph."""

    ink: Ink
    touching: int
    spans: list[tuple[int, int]]


def compose(
    scans: LabelledImages,
    labels: Sequence[str],
    length: int,
    rng: np.random.Generator,
    *,
    redrawn: bool,
    gaps: tuple[float, float] = GAPS,
) -> ComposedLine:
    """Compose ``length`` random scans, as they are or ``redrawn`` with one pen, to a line that is sent as a client might.

    The gap before a character is a share of the mean width of its neighbours; at 0 the two touch. Half of the lines that are
    not level are turned, in the others each character stays upright.
    """
    places = rng.integers(len(scans), size=length)
    height, pen = float(np.exp(rng.uniform(*np.log(HEIGHTS)))), random_width(rng) if redrawn else None
    glyphs = [scale_scan(scans.images[place], height * rng.uniform(1 - SMALLER, 1), pen) for place in places]
    slope, turned = float(np.tan(np.deg2rad(rng.uniform(*SLOPES)))), bool(rng.random() < 0.5)
    line = line_of(glyphs, 0 if turned else slope, rng, gaps)
    ink = rotate(line.ink, slope) if turned else line.ink
    return ComposedLine(as_sent(ink, rng), "".join(labels[scans.labels[place]] for place in places), line.touching)


def line_of(glyphs: Sequence[Ink], slope: float, rng: np.random.Generator, gaps: tuple[float, float] = GAPS) -> GlyphLine:
    """Set glyphs ``uint8[H,W]`` side by side on a base line that rises by ``slope``."""
    tallest = max(len(glyph) for glyph in glyphs)
    width = sum(glyph.shape[1] for glyph in glyphs)
    rise = int(2 * abs(slope) * width) + tallest
    base = rng.uniform(*gaps)
    line = np.zeros((tallest + 2 * rise, 0), dtype=np.uint8)
    before = touching = 0
    spans: list[tuple[int, int]] = []
    for glyph in glyphs:
        gap = max(0.0, base + rng.normal(0, GAP_DEVIATION)) * (before + glyph.shape[1]) / 2
        left = line.shape[1] + round(gap)
        above = tallest + rise - len(glyph) - round(rng.uniform(0, HIGHER) * tallest + slope * left)
        tall = np.pad(glyph, ((above, len(line) - above - len(glyph)), (0, 0)))
        if before and round(gap) == 0:
            left -= distance(line, tall)
            touching += 1
        line, before = joined(line, tall, max(left, 0)), glyph.shape[1]
        spans.append((max(left, 0), max(left, 0) + before))
    blank = spans[0][0]  # left of the first glyph, which is cropped
    return GlyphLine(crop_ink(line), touching, [(left - blank, right - blank) for left, right in spans])


def distance(line: Ink, glyph: Ink) -> int:
    """By how many columns a glyph right of a line, of the same height, has to move left until both touch."""
    inked, next_inked = line >= TOUCHING, glyph >= TOUCHING
    ends = np.where(inked.any(axis=1), line.shape[1] - inked[:, ::-1].argmax(axis=1), -line.size)
    starts = np.where(next_inked.any(axis=1), next_inked.argmax(axis=1), glyph.size)
    gaps = starts + line.shape[1] - ends
    return int(min(gaps.min() + 1, glyph.shape[1], line.shape[1]))


def rotate(ink: Ink, slope: float) -> Ink:
    """Turn a line so that it rises by ``slope``, without losing ink."""
    turned = Image.fromarray(ink).rotate(float(np.rad2deg(np.arctan(slope))), Image.Resampling.BICUBIC, expand=True)
    return crop_ink(np.asarray(turned))
