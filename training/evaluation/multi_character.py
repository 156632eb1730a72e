"""Measures how often images of one and of several characters are rejected as several.

Scans of single characters are rendered as clients might send them: with the stroke width of the scan or another one, of any
size and polarity, with a margin. Pairs and triples of them are set side by side or in two lines, upright or slanted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import NoInk, load, model_input
from training.data.datasets import Images, emnist, mnist
from training.data.image_sets import INK
from training.rendering.redrawing import centreline, random_width, stroke

MAX_REJECTED: Final = 0.003
MIN_REJECTED: Final = 0.97
# Single digits and single letters, of each; as many pairs and triples of both are composed.
EACH: Final = 500
# Space between characters in widths of a character, and the height of a character in pixels.
GAPS: Final = (0.1, 1.0)
HEIGHTS: Final = (12.0, 320.0)
TRIPLES: Final = 0.4
IN_TWO_LINES: Final = 0.2
SLANTS: Final = (-0.1, 0.5)
INK_LEVEL: Final = 100
FAINTEST: Final = 20

Ink = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RejectionRate:
    """How many of ``n`` images were rejected as several characters, and the smallest or largest share that is required."""

    name: str
    n: int
    rejected: int
    most: float | None = None
    least: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the share meets the requirement."""
        share = self.rejected / self.n
        return (self.most is None or share <= self.most) and (self.least is None or share >= self.least)

    def cells(self) -> list[str]:
        """The cells of the table row."""
        required = "" if self.most is None else f"at most {self.most:.1%}"
        required = required if self.least is None else f"at least {self.least:.0%}"
        passed = "" if not required else "yes" if self.passed else "**no**"
        return [self.name, f"{self.n:,}", f"{self.rejected / self.n:.2%}", required, passed]


def scans_of_test_sets(data: Path, seed: int = 0) -> tuple[Images, Images]:
    """Sample ``EACH`` digits of MNIST's test set and as many letters of the test set of ``letters``: ``uint8[N, 28, 28]``."""
    from training.recipes import letters as recipe  # here, since it imports PyTorch, which measuring does not need

    rng = np.random.default_rng(seed)
    digits, letters = mnist(data, "test").images, recipe.split_letters(emnist(data), recipe.Letters.settings.seed)[2].images
    return digits[rng.permutation(len(digits))[:EACH]], letters[rng.permutation(len(letters))[:EACH]]


def measure(digits: Images, letters: Images, seed: int = 0) -> list[RejectionRate]:
    """Measure rejection of single scans ``uint8[N, 28, 28]`` of digits and letters, and of images composed of them."""
    rng = np.random.default_rng(seed)
    both = np.concatenate([digits, letters])
    pools = (digits, letters)
    return [
        _rate("MNIST digits as they are", map(Image.fromarray, digits), most=MAX_REJECTED),
        _rate("EMNIST letters as they are", map(Image.fromarray, letters), most=MAX_REJECTED),
        _rate("either, enlarged, with a margin", (single(one, rng) for one in both), most=MAX_REJECTED),
        _rate("either, with another stroke width", (single(one, rng, redrawn=True) for one in both)),
        _rate("pairs and triples", (several(pool, rng) for pool in pools for _ in pool[::2]), least=MIN_REJECTED),
        _rate("pairs and triples, slanted", (slanted(pool, rng) for pool in pools for _ in pool[::2])),
        _rate("pairs and triples that touch", (several(pool, rng, (0, 0), lines=1) for pool in pools for _ in pool[::2])),
    ]


def _rate(name: str, images: Iterator[Image.Image], most: float | None = None, least: float | None = None) -> RejectionRate:
    counts = [count_characters(image) for image in images]
    return RejectionRate(name, len(counts), sum(count > 1 for count in counts), most, least)


def count_characters(image: Image.Image) -> int:
    """Count the characters that preprocessing finds; 0 where it finds no ink."""
    try:
        return model_input(load(image), INK).characters
    except NoInk:
        return 0


def single(scan: Ink, rng: np.random.Generator, *, redrawn: bool = False) -> Image.Image:
    """Render one character, ``redrawn`` with a random stroke width or with that of the scan."""
    return as_sent(scale_scan(scan, _height(rng), random_width(rng) if redrawn else None), rng)


def several(scans: Images, rng: np.random.Generator, gaps: tuple[float, float] = GAPS, lines: int | None = None) -> Image.Image:
    """Render two or three random characters in one line or, unless ``lines`` is 1, sometimes in two."""
    glyphs = _glyphs(scans, rng)
    if lines == 1 or rng.random() >= IN_TWO_LINES:
        return as_sent(_in_a_line(glyphs, rng, gaps), rng)
    first, second = _in_a_line(glyphs[:-1], rng, gaps), glyphs[-1]
    if rng.random() < 0.5:
        first, second = second, first
    # Two lines one above the other are two glyphs side by side, transposed.
    return as_sent(np.ascontiguousarray(_in_a_line([first.T, second.T], rng, gaps).T), rng)


def slanted(scans: Images, rng: np.random.Generator) -> Image.Image:
    """Render two or three random characters in a line of slanted writing, with the gap between them kept in every row."""
    slant = rng.uniform(*SLANTS)
    glyphs = [_sheared(glyph, slant) for glyph in _glyphs(scans, rng)]
    height = max(len(glyph) for glyph in glyphs)
    line = np.zeros((height, 0), dtype=np.uint8)
    for glyph in glyphs:
        above = (height - len(glyph)) // 2
        tall = np.pad(glyph, ((above, height - len(glyph) - above), (0, 0)))
        left = _nearest(line, tall, round(rng.uniform(*GAPS) * glyph.shape[1])) if line.size else 0
        line = joined(line, tall, left)
    return as_sent(line, rng)


def as_sent(ink: Ink, rng: np.random.Generator) -> Image.Image:
    """Add a margin and a background: light on dark, dark on light, transparent or in greys."""
    margin = max(2, round(max(ink.shape) * rng.uniform(0.05, 0.6)))
    page = Image.fromarray(np.pad(ink, margin))
    form = int(rng.integers(4))
    if form == 0:
        return page
    if form == 1:
        blank = Image.new("L", page.size)
        return Image.merge("RGBA", (blank, blank, blank, page))
    paper, pen = (255.0, 0.0) if form == 2 else (rng.uniform(180, 250), rng.uniform(10, 90))
    cover = np.asarray(page, dtype=np.float32) / 255
    return Image.fromarray((paper + (pen - paper) * cover).astype(np.uint8)).convert("RGB")


def _glyphs(scans: Images, rng: np.random.Generator) -> list[Ink]:
    height, width = _height(rng), random_width(rng) if rng.random() < 0.5 else None
    selected = rng.integers(len(scans), size=3 if rng.random() < TRIPLES else 2)
    return [scale_scan(scans[index], height * rng.uniform(0.8, 1), width) for index in selected]


def _height(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(HEIGHTS))))


def scale_scan(scan: Ink, height: float, stroke_width: float | None) -> Ink:
    """Crop a scan to its ink and scale it; redraw it if ``stroke_width``, a share of the height, is given."""
    ink = crop_ink(scan)
    if stroke_width is not None:
        ink = crop_ink(stroke(centreline(Image.fromarray(scan)), stroke_width))
    scale = height / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    return crop_ink(np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)))


def crop_ink(ink: Ink) -> Ink:
    """Remove the faintest ink, then the blank rows and columns at the edges."""
    firm = np.where(ink > FAINTEST, ink, 0).astype(np.uint8)
    rows, columns = firm.any(axis=1).nonzero()[0], firm.any(axis=0).nonzero()[0]
    return firm[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else firm


def _in_a_line(glyphs: Sequence[Ink], rng: np.random.Generator, gaps: tuple[float, float]) -> Ink:
    """Set glyphs side by side, each at a random height within the tallest."""
    height = max(len(glyph) for glyph in glyphs)
    line = np.zeros((height, 0), dtype=np.uint8)
    before = 0
    for glyph in glyphs:
        above = round((height - len(glyph)) * rng.uniform(0, 1))
        tall = np.pad(glyph, ((above, height - len(glyph) - above), (0, 0)))
        gap = rng.uniform(*gaps) * (before + glyph.shape[1]) / 2
        left = line.shape[1] + (max(1, round(gap)) if gap else 0) if line.size else 0
        line, before = joined(line, tall, left), glyph.shape[1]
    return line


def joined(line: Ink, glyph: Ink, left: int) -> Ink:
    """Add a glyph of the same height to a line, from column ``left`` on."""
    wide = np.zeros((len(line), max(line.shape[1], left + glyph.shape[1])), dtype=np.uint8)
    wide[:, : line.shape[1]] = line
    part = wide[:, left : left + glyph.shape[1]]
    np.maximum(part, glyph, out=part)
    return wide


def _nearest(line: Ink, glyph: Ink, gap: int) -> int:
    """Find the first column for a glyph at which the gap to the line is kept in every row and its neighbouring rows."""
    inked, next_inked = line > INK_LEVEL, glyph > INK_LEVEL
    ends = np.where(inked.any(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1), -inked.size)
    starts = np.where(next_inked.any(axis=1), next_inked.argmax(axis=1), next_inked.size)
    near = max(1, min(gap, len(line) // 10))
    ends = np.array([ends[max(0, row - near) : row + near + 1].max() for row in range(len(ends))])
    return max(0, int((ends - starts).max()) + max(1, gap))


def _sheared(glyph: Ink, slant: float) -> Ink:
    """Shear a glyph to the right by ``slant`` pixels a row."""
    margin = round(len(glyph) * abs(slant)) + 2
    image = Image.fromarray(np.pad(glyph, ((0, 0), (margin, margin))))
    shear = (1, slant, -slant * len(glyph) / 2, 0, 1, 0)
    return crop_ink(np.asarray(image.transform(image.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR)))
