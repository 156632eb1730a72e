"""The same pens for pictures of every source, so that a network cannot tell a scan from a doodle by its stroke.

Scans come with the pencil of their time, doodles as strokes, shapes with a brush of their own. Here each is brought to the
same coarse raster, thinned to its centreline and drawn again with a round brush of random width.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import distance_transform_edt
from skimage.morphology import skeletonize

from training.augment import bend
from training.drawings import Doodle

# Every source is brought to this many pixels along its longer side, the resolution of the coarsest, MNIST's.
COARSE: Final = 20
ENLARGEMENT: Final = 4
MARGIN: Final = 18
INKED: Final = 0.55
# Strokes are drawn with a pencil of this share of their size first, as MNIST's are on average.
PENCIL: Final = 0.1
# Brush widths as shares of what is drawn: a 6-pixel line on a 240-pixel letter to a 26-pixel one on a 180-pixel letter.
WIDTHS: Final = (0.025, 0.145)
SMALL: Final = 0.12


def scan(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:
    """A scan ``uint8[H, W]``, white on black, drawn again with a random pen: mode "L", white on black."""
    return drawn(centreline(Image.fromarray(picture)), hand)


def print_of(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:
    """A drawing ``uint8[H, W]``, thin and black on white, drawn again with a random pen: mode "L", white on black."""
    ink = Image.fromarray(255 - picture)
    box = ink.getbbox()
    firm = ink.filter(ImageFilter.MaxFilter(3)) if box and max(ink.crop(box).size) > 2 * COARSE else ink
    return drawn(centreline(firm), hand)


def doodle(drawing: Doodle, hand: np.random.Generator) -> Image.Image:
    """Strokes drawn again with a random pen: mode "L", white on black."""
    side = COARSE * ENLARGEMENT
    sheet = Image.new("L", (side + 2 * ENLARGEMENT, side + 2 * ENLARGEMENT))
    pen = ImageDraw.Draw(sheet)
    for path in drawing.paths:
        dots = [(float(x), float(y)) for x, y in path * side + ENLARGEMENT]
        pen.line(dots, fill=255, width=round(PENCIL * side), joint="curve")
        x, y = dots[0]
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=255)
    return drawn(centreline(sheet.reduce(ENLARGEMENT)), hand)


def bent_scan(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:
    """As ``scan``, and bent as another hand would."""
    return bend(scan(picture, hand), hand)


def bent_doodle(drawing: Doodle, hand: np.random.Generator) -> Image.Image:
    """As ``doodle``, and bent as another hand would."""
    return bend(doodle(drawing, hand), hand)


def drawn(lines: npt.NDArray[np.bool_], hand: np.random.Generator) -> Image.Image:
    """A centreline drawn with a round brush of random width, some of it small: mode "L", white on black.

    What holds no line stays empty.
    """
    if not lines.any():
        return Image.new("L", lines.shape[::-1])
    side = max(lines.shape) - 2 * MARGIN
    radius = max(float(np.exp(hand.uniform(*np.log(WIDTHS)))) * side / 2, 1.0)
    distance = distance_transform_edt(~lines)
    picture = Image.fromarray((np.clip(radius + 0.5 - distance, 0, 1) * 255).astype(np.uint8))
    if hand.random() < SMALL:
        scale = hand.uniform(24, 56) / max(picture.size)
        size = max(8, round(picture.width * scale)), max(8, round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.BOX)
    return picture


def centreline(picture: Image.Image) -> npt.NDArray[np.bool_]:
    """The middle of the strokes of a picture, one pixel wide, ``bool[H, W]``: 80 pixels its longer side, and a margin."""
    box = picture.getbbox()
    ink = picture.crop(box) if box else picture
    scale = COARSE / max(ink.size)
    small = ink.resize((max(1, round(ink.width * scale)), max(1, round(ink.height * scale))), Image.Resampling.BOX)
    padded = np.pad(np.asarray(small), 2)
    large = Image.fromarray(padded).resize(
        (padded.shape[1] * ENLARGEMENT, padded.shape[0] * ENLARGEMENT), Image.Resampling.BICUBIC
    )
    levels = np.asarray(large.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32)
    inked = levels > INKED * max(float(levels.max()), 1.0)
    thin: npt.NDArray[np.bool_] = skeletonize(inked)
    return np.pad(thin, MARGIN - 2 * ENLARGEMENT)
