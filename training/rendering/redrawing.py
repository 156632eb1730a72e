"""Redraws scans, drawings and doodles with the same brushes, so that a network cannot recognise the source by its strokes.

Scans have pencil strokes, doodles have stroke coordinates, shapes have a brush of their own. Each is scaled to the same coarse
raster, thinned to its centreline and redrawn with a round brush of random width.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import distance_transform_edt
from skimage.morphology import skeletonize

from training.data.drawings import Doodle
from training.rendering.augmentation import distort

# Every source is scaled to this many pixels along its longer side, the resolution of the coarsest source, MNIST.
COARSE: Final = 20
ENLARGEMENT: Final = 4
MARGIN: Final = 18
INK_LEVEL: Final = 0.55
# Doodles are first drawn with a pencil of this share of their size, the mean of MNIST.
PENCIL: Final = 0.1
# Brush widths as shares of the drawing: a 6-pixel line on a 240-pixel letter to a 26-pixel one on a 180-pixel letter.
WIDTHS: Final = (0.025, 0.145)
SMALL: Final = 0.12


def redraw_scan(scan: npt.NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Redraw a scan ``uint8[H, W]``, white on black, with a random brush: mode "L", white on black."""
    return draw_centreline(centreline(Image.fromarray(scan)), rng)


def redraw_drawing(drawing: npt.NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Redraw a drawing ``uint8[H, W]``, thin and black on white, with a random brush: mode "L", white on black."""
    ink = Image.fromarray(255 - drawing)
    box = ink.getbbox()
    firm = ink.filter(ImageFilter.MaxFilter(3)) if box and max(ink.crop(box).size) > 2 * COARSE else ink
    return draw_centreline(centreline(firm), rng)


def redraw_doodle(doodle: Doodle, rng: np.random.Generator) -> Image.Image:
    """Redraw a doodle with a random brush: mode "L", white on black."""
    side = COARSE * ENLARGEMENT
    canvas = Image.new("L", (side + 2 * ENLARGEMENT, side + 2 * ENLARGEMENT))
    draw = ImageDraw.Draw(canvas)
    for path in doodle.paths:
        dots = [(float(x), float(y)) for x, y in path * side + ENLARGEMENT]
        draw.line(dots, fill=255, width=round(PENCIL * side), joint="curve")
        x, y = dots[0]
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=255)
    return draw_centreline(centreline(canvas.reduce(ENLARGEMENT)), rng)


def redraw_distorted_scan(scan: npt.NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Redraw a scan and distort it."""
    return distort(redraw_scan(scan, rng), rng)


def redraw_distorted_doodle(doodle: Doodle, rng: np.random.Generator) -> Image.Image:
    """Redraw a doodle and distort it."""
    return distort(redraw_doodle(doodle, rng), rng)


def draw_centreline(lines: npt.NDArray[np.bool_], rng: np.random.Generator) -> Image.Image:
    """Draw a centreline with a round brush of random width, at times small: mode "L", white on black.

    An empty centreline gives an empty image.
    """
    if not lines.any():
        return Image.new("L", lines.shape[::-1])
    image = Image.fromarray(stroke(lines, random_width(rng)))
    if rng.random() < SMALL:
        scale = rng.uniform(24, 56) / max(image.size)
        size = max(8, round(image.width * scale)), max(8, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BOX)
    return image


def random_width(rng: np.random.Generator) -> float:
    """Sample a brush width as a share of the drawing."""
    return float(np.exp(rng.uniform(*np.log(WIDTHS))))


def stroke(lines: npt.NDArray[np.bool_], width: float) -> npt.NDArray[np.uint8]:
    """Draw a centreline ``bool[H, W]`` with a round brush, whose ``width`` is a share of the drawing: ``uint8[H, W]``."""
    radius = max(width * (max(lines.shape) - 2 * MARGIN) / 2, 1.0)
    distance = distance_transform_edt(~lines)
    levels: npt.NDArray[np.uint8] = (np.clip(radius + 0.5 - distance, 0, 1) * 255).astype(np.uint8)
    return levels


def centreline(image: Image.Image) -> npt.NDArray[np.bool_]:
    """Thin strokes to lines one pixel wide: ``bool[H, W]``, 80 pixels along the longer side, and a margin."""
    box = image.getbbox()
    ink = image.crop(box) if box else image
    scale = COARSE / max(ink.size)
    small = ink.resize((max(1, round(ink.width * scale)), max(1, round(ink.height * scale))), Image.Resampling.BOX)
    padded = np.pad(np.asarray(small), 2)
    large = Image.fromarray(padded).resize(
        (padded.shape[1] * ENLARGEMENT, padded.shape[0] * ENLARGEMENT), Image.Resampling.BICUBIC
    )
    levels = np.asarray(large.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32)
    inked = levels > INK_LEVEL * max(float(levels.max()), 1.0)
    thin: npt.NDArray[np.bool_] = skeletonize(inked)
    return np.pad(thin, MARGIN - 2 * ENLARGEMENT)
