"""Sheets of several digits, composed of the drawn samples."""

import io
from collections.abc import Sequence

from PIL import Image, ImageOps

from loadtests.samples import samples

HEIGHT = 120  # pixels of each digit
GAP, MARGIN = 36, 40
BLANK = 40  # levels below this are no ink


def sheet(lines: Sequence[str], height: int = HEIGHT) -> Image.Image:
    """Digits of ``height`` pixels in lines, black on white, each the first sample of its label."""
    rows = [[_ink(name, height) for name in line] for line in lines]
    width = max(sum(ink.width + GAP for ink in row) for row in rows)
    page = Image.new("L", (width + 2 * MARGIN, len(rows) * (height + GAP) + 2 * MARGIN), 0)
    for number, row in enumerate(rows):
        left, top = MARGIN, MARGIN + number * (height + GAP)
        for ink in row:
            page.paste(ink, (left, top + height - ink.height))
            left += ink.width + GAP
    return ImageOps.invert(page)


def _ink(label: str, height: int) -> Image.Image:
    """The ink of the first sample of a label, 255 the strongest, at most ``height`` pixels a side."""
    sample = next(sample for sample in samples() if sample.label == label)
    drawing = Image.open(io.BytesIO(sample.data)).convert("RGBA")
    paper = Image.new("RGBA", drawing.size, "white")
    paper.alpha_composite(drawing)
    light = paper.convert("L")
    ink = ImageOps.invert(light) if light.getpixel((0, 0)) == 255 else light
    ink = ink.point(lambda level: 0 if level < BLANK else level)
    crop = ink.crop(ink.getbbox())
    return ImageOps.contain(crop, (height, height))
