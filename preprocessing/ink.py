"""Where the ink is: a picture of any mode and polarity to one channel, 0 for paper and 255 for the strongest stroke.

A drawing on an even ground takes the short way: one look-up table. Everything else (photos, JPEG noise, ruled paper, specks,
dark edges) goes through ``preprocessing.paper`` and ``preprocessing.components`` first.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageChops

from preprocessing import characters, components, paper
from preprocessing.errors import NoInk
from preprocessing.levels import Box, Grey, levels, picture

# Pictures are averaged down until the longer side is at most this: strokes keep far more pixels than a model looks at.
WORK_SIDE: Final = 200
# Grey levels (0..255) below which a difference from the paper is noise, and nothing counts as drawn.
MIN_CONTRAST: Final = 24
LEAST_CONTRAST: Final = 6
# Share of the strongest ink below which a pixel of an even ground counts as paper.
FLOOR: Final = 0.08
# What kind of picture it is shows in every pixel of this step.
SAMPLE_STEP: Final = 3
# Share of the box around a drawing that is blank on a blank sheet.
BLANK: Final = 0.2
# Levels around the paper's that belong to an even ground, and those beyond that belong to noise.
EVEN: Final = 2
NOISY: Final = 24

# A picture of no more pixels along its longer side has no room for shadows and grain: its faint levels are the rims of strokes.
TINY: Final = 24

_EMPTY: Final = "Nothing is drawn on the image. Draw a stroke, or send a picture with more contrast."


class Found(NamedTuple):
    """Ink ``uint8[H,W]`` (0 is paper, 255 the strongest stroke) and its box.

    ``ground`` is the level of the paper where the whole ground has it and nothing but one drawing stands on it, or None.
    ``characters`` is how many separate characters there are, also where the ink holds only one of them.
    """

    ink: Grey
    box: Box
    ground: int | None
    characters: int

    def crop(self) -> Image.Image:
        """What is in the box, as an "L" picture."""
        left, top, right, bottom = self.box
        return picture(self.ink[top:bottom, left:right])


def luminance(image: Image.Image) -> tuple[Image.Image, int | None]:
    """Mode "L" picture of what a viewer sees, and the level of its paper where the picture itself says it.

    Visible pixels of one colour on transparency are ink on nothing: their opacity is the ink, whatever the colour. Visible
    pixels of several colours hold their own paper, so the transparent rest gets the most frequent visible luminance.

    Raises:
        NoInk: every pixel is as good as transparent.
    """
    if not image.has_transparency_data:
        return grey(image), None
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    sample = image.resize(_sample_size(image), Image.Resampling.NEAREST)
    lowest, highest = extrema(sample.getchannel("A"))
    if lowest == 255:
        return image.convert("L"), None
    alpha = image.getchannel("A")
    if highest < MIN_CONTRAST:
        sample = image
        if extrema(alpha)[1] < MIN_CONTRAST:
            raise NoInk(_EMPTY)
    if _is_flat(sample):
        return alpha, 0
    opaque = image.convert("L")
    ground = Image.new("L", image.size, int(np.asarray(opaque.histogram(alpha.point(_VISIBLE))).argmax()))
    ground.paste(opaque, mask=alpha)
    return ground, None


def _sample_size(image: Image.Image) -> tuple[int, int]:
    return max(1, image.width // SAMPLE_STEP), max(1, image.height // SAMPLE_STEP)


def _is_flat(image: Image.Image) -> bool:
    """Whether all that is visible of an RGBA picture has nearly one luminance."""
    opaque = image.convert("L")
    darkest, lightest = extrema(opaque)
    if lightest - darkest < 2 * MIN_CONTRAST:
        return True
    visible = np.flatnonzero(opaque.histogram(image.getchannel("A").point(_VISIBLE)))
    return len(visible) == 0 or bool(visible[-1] - visible[0] < 2 * MIN_CONTRAST)


def grey(image: Image.Image) -> Image.Image:
    """Mode "L" picture of an opaque image of any mode; 16-bit and float ranges are stretched to 0..255."""
    if image.mode == "L":
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.astype(np.uint8))
    return image.convert("L")


def drawn_on_blank(light: Image.Image) -> Image.Image | None:
    """How far an "L" picture differs from a sheet that is wholly white or wholly black around the drawing, cropped to it.

    None where it is not: another level at the edge, a drawing that touches it, noise on the sheet, or hardly any sheet around.
    """
    edge = light.getpixel((0, 0))
    if edge not in (0, 255):
        return None
    difference = ImageChops.invert(light) if edge else light
    box = difference.getbbox()
    if box is None or box[0] == 0 or box[1] == 0 or box[2] == light.width or box[3] == light.height:
        return None
    drawing = difference.crop(box)
    sample = drawing.resize(_sample_size(drawing), Image.Resampling.NEAREST)
    counts = sample.histogram()
    blank = sum(_near(counts, 0, EVEN)) >= BLANK * sample.width * sample.height
    return drawing if blank and (max(light.size) <= TINY or _is_even(counts, 0)) else None


def shrink(image: Image.Image, side: int = WORK_SIDE) -> tuple[Image.Image, int]:
    """An "L" picture averaged down by the smallest whole factor that leaves at most ``side`` pixels, and that factor."""
    factor = -(-max(image.size) // side)
    return (image.reduce(factor) if factor > 1 else image), factor


def ink(image: Image.Image, paper_level: int | None = None, factor: int = 1) -> Found:
    """Ink of an "L" picture; specks, lines and edges are gone.

    ``paper_level`` is the level of the paper where it is known; ``factor`` is by how much the picture was averaged down, which
    makes a stroke of one pixel fainter by as much.

    Raises:
        NoInk: no pixel differs enough from the paper.
    """
    lowest, highest = extrema(image)
    if highest - lowest < max(LEAST_CONTRAST, MIN_CONTRAST // factor):
        raise NoInk(_EMPTY)
    ground = _even_ground(image) if paper_level is None else paper_level
    if ground is not None:
        drawn = levels(image, on_even_ground(ground, lowest, highest))
        box, alone = components.bounds(drawn)
        if alone:
            return Found(drawn, box, ground, characters.count_overlapping(drawn, box, MIN_CONTRAST))
        found = components.main_ink(drawn, float(MIN_CONTRAST))
    else:
        found = components.main_ink(*paper.ink_on_uneven_ground(levels(image)))
    if found is None:
        raise NoInk(_EMPTY)
    number = max(characters.count(*view) for view in found.views)
    return Found(found.ink, components.bounds(found.ink)[0], None, number)


@lru_cache(maxsize=256)
def on_even_ground(ground: int, lowest: int, highest: int) -> bytes:
    """The look-up table to the ink of an "L" picture of these extrema whose paper has the level ``ground``.

    Ink is the difference from it, in the direction in which it is larger: ``ground`` becomes 0, the strongest difference 255,
    what lies below ``FLOOR`` of it 0 as well.
    """
    strongest = highest if highest - ground > ground - lowest else lowest
    table = (np.arange(256) - ground) * (255 / (strongest - ground))
    table[table < FLOOR * 255] = 0
    table[max(0, ground - 1) : ground + 2] = 0
    return bytes(np.minimum(table, 255).astype(np.uint8))


def _even_ground(image: Image.Image) -> int | None:
    """Level of the paper when all of it has nearly one level, None when it is uneven or noisy."""
    counts = image.histogram()
    pixels = levels(image)
    edge = int(pixels[0, 0])
    bordered = all((side == edge).all() for side in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    if bordered and _is_even(counts, edge) and sum(_near(counts, edge, EVEN)) > image.width * image.height / 2:
        return edge
    weights = np.asarray(counts, dtype=np.float64)
    threshold = paper.otsu(weights)
    light = paper.is_light(pixels, weights, threshold)
    side = [0] * (threshold + 1) + counts[threshold + 1 :] if light else counts[: threshold + 1]
    ground = side.index(max(side))
    if max(image.size) <= TINY:
        return ground
    return ground if _is_even(counts, ground) and sum(_near(counts, ground, EVEN)) >= 0.7 * sum(side) else None


def _is_even(counts: list[int], ground: int) -> bool:
    """Whether hardly any level near the paper's is there besides it."""
    return sum(_near(counts, ground, EVEN)) >= 0.9 * sum(_near(counts, ground, NOISY))


def _near(counts: list[int], level: int, distance: int) -> list[int]:
    return counts[max(0, level - distance) : level + distance + 1]


def extrema(image: Image.Image) -> tuple[int, int]:
    """Lowest and highest grey level of an "L" picture."""
    lowest, highest = image.getextrema()
    assert isinstance(lowest, int) and isinstance(highest, int)
    return lowest, highest


_VISIBLE: Final = [0] * MIN_CONTRAST + [255] * (256 - MIN_CONTRAST)
