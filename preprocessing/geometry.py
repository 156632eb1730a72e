"""Ink of any size and place to the frame a model was trained on: crop, scale into the box, centre."""

from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageOps

from preprocessing.decode import NoInk
from preprocessing.spec import InputSpec

# Stroke widths as shares of the box, as `pen_width` measures them: what 99 % of MNIST holds, and what thinner pens become.
THINNEST: Final = 0.057
THICKEST: Final = 0.18
PEN: Final = 0.085
# Pillow first averages large ink down to this many times what it is to become: as good, and a fraction of the time.
REDUCING_GAP: Final = 2.0
# Ink is this many times as large as its box while its strokes are changed, so that a pixel is a small step.
PEN_SCALE: Final = 5


def crop(ink: Image.Image) -> Image.Image:
    """The bounding box of the ink (mode "L", 0 is paper).

    Raises:
        NoInk: there is none.
    """
    box = ink.getbbox()
    if box is None:
        raise NoInk("Nothing is drawn on the image.")
    return ink.crop(box)


def fit(ink: Image.Image, box: int) -> Image.Image:
    """Scale so that the longer side is ``box`` pixels, keeping the aspect, antialiased in both directions."""
    scale = box / max(ink.size)
    width, height = (max(1, round(side * scale)) for side in ink.size)
    if (width, height) == ink.size:
        return ink
    resampling = Image.Resampling.BILINEAR if scale < 1 else Image.Resampling.BICUBIC
    fitted = ink.resize((width, height), resampling, reducing_gap=REDUCING_GAP)
    if fitted.getbbox():
        return fitted
    # Sparse dots over thousands of pixels average to less than one level of 255: keep the fractions, and stretch them.
    levels = np.asarray(ink.convert("F").resize((width, height), resampling))
    return Image.fromarray((levels * (255 / levels.max())).astype(np.uint8))


def pen_width(fitted: Image.Image) -> float:
    """Mean stroke width in pixels of ink scaled to its box: twice its area over its outline, less where it is faint.

    The outline is the total variation of the levels, which holds for strokes thinner than a pixel too.
    """
    levels = np.zeros((fitted.height + 2, fitted.width + 2), dtype=np.int16)
    levels[1:-1, 1:-1] = np.asarray(fitted)
    outline = int(np.abs(levels[1:] - levels[:-1]).sum()) + int(np.abs(levels[:, 1:] - levels[:, :-1]).sum())
    return 2 * int(levels.sum()) / outline * int(levels.max()) / 255


def with_pen(ink: Image.Image, box: int) -> Image.Image:
    """Ink fitted into the box, its strokes thickened or thinned where they are far from what people write with a pen."""
    fitted = fit(ink, box)
    width = pen_width(fitted)
    thinnest, thickest = THINNEST * box, THICKEST * box
    if thinnest <= width <= thickest:
        return fitted
    large = fit(ink, PEN_SCALE * box)
    if width < thinnest:
        return fit(spread(firm(large, 255), round((PEN * box - width) / 2 * PEN_SCALE)), box)
    return fit(eroded(large, round((width - thickest) / 2 * PEN_SCALE)), box)


def firm(ink: Image.Image, typical: int) -> Image.Image:
    """Lift the levels so that the typical inked pixel reaches ``typical`` and the strongest 255, where they do not.

    Thin strokes fill pixels in part.
    """
    levels = np.asarray(ink).ravel().astype(np.int64)
    gain = max(typical * int(levels.sum()) / int(levels @ levels), 255 / int(levels.max()))
    if gain <= 1:
        return ink
    return ink.point(np.minimum(np.arange(256) * gain + 0.5, 255).astype(np.uint8).tolist())


def spread(ink: Image.Image, radius: int) -> Image.Image:
    """Ink grown by ``radius`` pixels on all sides: the largest level in an octagon around each pixel."""
    grown = np.pad(np.asarray(ink), radius)
    for step in range(radius):
        tall = grown.copy()
        np.maximum(tall[:-1], grown[1:], out=tall[:-1])
        np.maximum(tall[1:], grown[:-1], out=tall[1:])
        source = tall if step % 2 else grown
        wide = tall.copy()
        np.maximum(wide[:, :-1], source[:, 1:], out=wide[:, :-1])
        np.maximum(wide[:, 1:], source[:, :-1], out=wide[:, 1:])
        grown = wide
    return Image.fromarray(grown)


def eroded(ink: Image.Image, radius: int) -> Image.Image:
    """Ink shrunk by ``radius`` pixels on all sides, cropped; the ink itself where nothing would be left."""
    paper = ImageChops.invert(ImageOps.expand(ink, 1))
    thin = ImageChops.invert(spread(paper, radius).crop((radius, radius, radius + paper.width, radius + paper.height)))
    box = thin.getbbox()
    return thin.crop(box) if box else ink


def centre(ink: Image.Image, spec: InputSpec) -> Image.Image:
    """Paste into an empty ``spec.size`` square so that the chosen centre of the ink lies at the middle, to the pixel."""
    if spec.geometry.centring == "mass":
        pixels = np.asarray(ink, dtype=np.float64)
        columns, rows = np.add.reduce(pixels, axis=0), np.add.reduce(pixels, axis=1)
        total = np.add.reduce(rows)
        middle_x = float(columns @ _MIDDLES[: ink.width] / total)
        middle_y = float(rows @ _MIDDLES[: ink.height] / total)
    else:
        middle_x, middle_y = ink.width / 2, ink.height / 2
    left = _clamp(round(spec.size / 2 - middle_x), spec.size - ink.width)
    top = _clamp(round(spec.size / 2 - middle_y), spec.size - ink.height)
    frame = Image.new("L", (spec.size, spec.size))
    frame.paste(ink, (left, top))
    return frame


def _clamp(offset: int, room: int) -> int:
    return min(max(offset, 0), room)


_MIDDLES: Final = np.arange(0.5, 512)  # of pixels, along either side of the largest frame
