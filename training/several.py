"""Characters shown alone and several at a time: how many pictures of each preprocessing takes for several characters.

Scans of single characters become pictures as people send them: with the pen of the scan or another one, of any size and
polarity, with a margin. Pairs and triples of them stand side by side or in two lines, upright or slanted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import distance_transform_edt

from preprocessing import NoInk, load, model_input
from training import pens
from training.datasets import Images, emnist, mnist
from training.frames import INK

MOST_REJECTED: Final = 0.003
LEAST_REJECTED: Final = 0.97
# Pictures of either kind of character alone; as many pairs and triples of both kinds are composed.
EACH: Final = 500
# Blank between neighbours in widths of a character, and the height of a character in pixels.
GAPS: Final = (0.1, 1.0)
HEIGHTS: Final = (12.0, 320.0)
TRIPLES: Final = 0.4
IN_TWO_LINES: Final = 0.2
SLANTS: Final = (-0.1, 0.5)
INKED: Final = 100
FAINTEST: Final = 20

Ink = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of ``n`` pictures were taken for several characters, and how many may or must be, as a share."""

    name: str
    n: int
    several: int
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        share = self.several / self.n
        return (self.most is None or share <= self.most) and (self.least is None or share >= self.least)

    def cells(self) -> list[str]:
        """The row of the table."""
        promised = "" if self.most is None else f"at most {self.most:.1%}"
        promised = promised if self.least is None else f"at least {self.least:.0%}"
        kept = "" if not promised else "yes" if self.kept else "**no**"
        return [self.name, f"{self.n:,}", f"{self.several / self.n:.2%}", promised, kept]


def scans_of_test_splits(data: Path, seed: int = 0) -> tuple[Images, Images]:
    """``EACH`` digits of MNIST's test split and as many letters of the test split of the letters model, chosen by ``seed``."""
    from training.recipes import letters  # here, since it imports PyTorch, which measuring does not need

    hand = np.random.default_rng(seed)
    digits, written = mnist(data, "test").images, letters.split(emnist(data), letters.Letters.settings.seed)[2].images
    return digits[hand.permutation(len(digits))[:EACH]], written[hand.permutation(len(written))[:EACH]]


def measure(digits: Images, written: Images, seed: int = 0) -> list[Share]:
    """How many are taken for several of scans ``uint8[N, 28, 28]`` of ``digits`` and of ``written`` letters, and of what is
    composed of either."""
    hand = np.random.default_rng(seed)
    both = np.concatenate([digits, written])
    kinds = (digits, written)
    return [
        _share("MNIST digits as they are", map(Image.fromarray, digits), most=MOST_REJECTED),
        _share("EMNIST letters as they are", map(Image.fromarray, written), most=MOST_REJECTED),
        _share("either, enlarged, with a margin", (alone(one, hand) for one in both), most=MOST_REJECTED),
        _share("either, with another pen", (alone(one, hand, other_pen=True) for one in both)),
        _share("pairs and triples", (several(kind, hand) for kind in kinds for _ in kind[::2]), least=LEAST_REJECTED),
        _share("pairs and triples, slanted", (slanted(kind, hand) for kind in kinds for _ in kind[::2])),
        _share("pairs and triples that touch", (several(kind, hand, (0, 0), lines=1) for kind in kinds for _ in kind[::2])),
    ]


def _share(name: str, pictures: Iterator[Image.Image], most: float | None = None, least: float | None = None) -> Share:
    counts = [counted(picture) for picture in pictures]
    return Share(name, len(counts), sum(count > 1 for count in counts), most, least)


def counted(picture: Image.Image) -> int:
    """How many characters preprocessing sees; 0 where it sees no ink."""
    try:
        return model_input(load(picture), INK).characters
    except NoInk:
        return 0


def alone(scan: Ink, hand: np.random.Generator, *, other_pen: bool = False) -> Image.Image:
    """One character as somebody might send it."""
    return sent(_glyph(scan, _height(hand), _pen(hand) if other_pen else None), hand)


def several(
    scans: Images, hand: np.random.Generator, gaps: tuple[float, float] = GAPS, lines: int | None = None
) -> Image.Image:
    """Two or three characters, chosen from ``scans``, in a line or in two."""
    glyphs = _glyphs(scans, hand)
    if lines == 1 or hand.random() >= IN_TWO_LINES:
        return sent(_in_a_line(glyphs, hand, gaps), hand)
    first, second = _in_a_line(glyphs[:-1], hand, gaps), glyphs[-1]
    if hand.random() < 0.5:
        first, second = second, first
    # One line above another is side by side, turned.
    return sent(np.ascontiguousarray(_in_a_line([first.T, second.T], hand, gaps).T), hand)


def slanted(scans: Images, hand: np.random.Generator) -> Image.Image:
    """Two or three characters in a line of slanted writing: each as near to the one before as the gap lets it, row by row."""
    slant = hand.uniform(*SLANTS)
    glyphs = [_sheared(glyph, slant) for glyph in _glyphs(scans, hand)]
    height = max(len(glyph) for glyph in glyphs)
    line = np.zeros((height, 0), dtype=np.uint8)
    for glyph in glyphs:
        above = (height - len(glyph)) // 2
        tall = np.pad(glyph, ((above, height - len(glyph) - above), (0, 0)))
        left = _nearest(line, tall, round(hand.uniform(*GAPS) * glyph.shape[1])) if line.size else 0
        line = _joined(line, tall, left)
    return sent(line, hand)


def sent(ink: Ink, hand: np.random.Generator) -> Image.Image:
    """Ink with a margin, light on dark, dark on light, on nothing or in greys."""
    margin = max(2, round(max(ink.shape) * hand.uniform(0.05, 0.6)))
    page = Image.fromarray(np.pad(ink, margin))
    form = int(hand.integers(4))
    if form == 0:
        return page
    if form == 1:
        blank = Image.new("L", page.size)
        return Image.merge("RGBA", (blank, blank, blank, page))
    paper, pen = (255.0, 0.0) if form == 2 else (hand.uniform(180, 250), hand.uniform(10, 90))
    cover = np.asarray(page, dtype=np.float32) / 255
    return Image.fromarray((paper + (pen - paper) * cover).astype(np.uint8)).convert("RGB")


def _glyphs(scans: Images, hand: np.random.Generator) -> list[Ink]:
    height, pen = _height(hand), _pen(hand) if hand.random() < 0.5 else None
    chosen = hand.integers(len(scans), size=3 if hand.random() < TRIPLES else 2)
    return [_glyph(scans[place], height * hand.uniform(0.8, 1), pen) for place in chosen]


def _height(hand: np.random.Generator) -> float:
    return float(np.exp(hand.uniform(*np.log(HEIGHTS))))


def _pen(hand: np.random.Generator) -> float:
    return float(np.exp(hand.uniform(*np.log(pens.WIDTHS))))


def _glyph(scan: Ink, height: float, pen: float | None) -> Ink:
    """A scan cropped to its ink and scaled; drawn again with another ``pen`` where one is given, in shares of the height."""
    ink = _cropped(scan)
    if pen is not None:
        lines = pens.centreline(Image.fromarray(scan))
        radius = max(pen * (max(lines.shape) - 2 * pens.MARGIN) / 2, 1.0)
        ink = _cropped((np.clip(radius + 0.5 - distance_transform_edt(~lines), 0, 1) * 255).astype(np.uint8))
    scale = height / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    return _cropped(np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)))


def _cropped(ink: Ink) -> Ink:
    """Ink without its faintest rims and without blank rows and columns around."""
    firm = np.where(ink > FAINTEST, ink, 0).astype(np.uint8)
    rows, columns = firm.any(axis=1).nonzero()[0], firm.any(axis=0).nonzero()[0]
    return firm[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else firm


def _in_a_line(glyphs: Sequence[Ink], hand: np.random.Generator, gaps: tuple[float, float]) -> Ink:
    """Ink side by side, each at a height of its own within the highest."""
    height = max(len(glyph) for glyph in glyphs)
    line = np.zeros((height, 0), dtype=np.uint8)
    before = 0
    for glyph in glyphs:
        above = round((height - len(glyph)) * hand.uniform(0, 1))
        tall = np.pad(glyph, ((above, height - len(glyph) - above), (0, 0)))
        gap = hand.uniform(*gaps) * (before + glyph.shape[1]) / 2
        left = line.shape[1] + (max(1, round(gap)) if gap else 0) if line.size else 0
        line, before = _joined(line, tall, left), glyph.shape[1]
    return line


def _joined(line: Ink, glyph: Ink, left: int) -> Ink:
    """A line of ink and a glyph as high, which begins in the column ``left``."""
    wide = np.zeros((len(line), max(line.shape[1], left + glyph.shape[1])), dtype=np.uint8)
    wide[:, : line.shape[1]] = line
    part = wide[:, left : left + glyph.shape[1]]
    np.maximum(part, glyph, out=part)
    return wide


def _nearest(line: Ink, glyph: Ink, gap: int) -> int:
    """The column where a glyph begins that keeps the gap from the line in every row, and in the rows nearby."""
    inked, next_inked = line > INKED, glyph > INKED
    ends = np.where(inked.any(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1), -inked.size)
    starts = np.where(next_inked.any(axis=1), next_inked.argmax(axis=1), next_inked.size)
    near = max(1, min(gap, len(line) // 10))
    ends = np.array([ends[max(0, row - near) : row + near + 1].max() for row in range(len(ends))])
    return max(0, int((ends - starts).max()) + max(1, gap))


def _sheared(glyph: Ink, slant: float) -> Ink:
    """Ink whose columns lean to the right by ``slant`` pixels a row."""
    room = round(len(glyph) * abs(slant)) + 2
    picture = Image.fromarray(np.pad(glyph, ((0, 0), (room, room))))
    shear = (1, slant, -slant * len(glyph) / 2, 0, 1, 0)
    return _cropped(np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR)))
