"""Extracts the ink of an image of any mode and polarity: one channel, 0 for paper and 255 for the strongest stroke.

A drawing on a uniform background needs one look-up table. Everything else (photos, JPEG noise, ruled paper, specks, dark
edges) goes through ``preprocessing.illumination`` and ``preprocessing.main_ink``.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageChops

from preprocessing.character_count import count_characters, count_slanted_characters
from preprocessing.connected_components import bounding_box
from preprocessing.errors import NoInk
from preprocessing.illumination import extract_unevenly_lit_ink, is_background_light, otsu_threshold
from preprocessing.main_ink import extract_main_ink
from preprocessing.pixels import Box, Grey, to_array, to_image

# Images are reduced until their longer side is at most this, at which strokes still have far more pixels than in a model input.
WORK_SIDE: Final = 200
# Differences from the background below this many grey levels are noise; the second limit is for images that were reduced.
MIN_CONTRAST: Final = 24
MIN_REDUCED_CONTRAST: Final = 6
# On a uniform background, pixels below this share of the strongest ink are background.
FLOOR: Final = 0.08
# The kind of an image is found from every pixel at this step.
SAMPLE_STEP: Final = 3
# On a blank sheet, this share of the drawing's box is blank.
BLANK: Final = 0.2
# Levels within this distance of the background's belong to a uniform background, and those within the second one to noise.
UNIFORM: Final = 2
NOISE: Final = 24
# Images of at most this longer side have no room for shadows and grain: their faint levels are the edges of strokes.
TINY: Final = 24

NO_INK: Final = "Nothing is drawn on the image. Draw a stroke, or send a picture with more contrast."


class ExtractedInk(NamedTuple):
    """Ink ``uint8[H,W]`` (0 is paper, 255 the strongest stroke) and its bounding box.

    ``background`` is the level of a uniform background with nothing on it but one drawing, else None. ``characters`` is the
    number of separate characters in the image, of which the ink may hold only one.
    """

    ink: Grey
    box: Box
    background: int | None
    characters: int

    def crop(self) -> Image.Image:
        """The ink in the bounding box, as an "L" image."""
        left, top, right, bottom = self.box
        return to_image(self.ink[top:bottom, left:right])


def luminance(image: Image.Image) -> tuple[Image.Image, int | None]:
    """An "L" image of what a viewer sees, and the level of its background where transparency shows it.

    Visible pixels of one colour on transparency are ink: their opacity is the ink, whatever the colour. If they have several
    colours, they include their own background, and the transparent rest gets the most frequent visible luminance.

    Raises:
        NoInk: the image is transparent everywhere.
    """
    if not image.has_transparency_data:
        return to_grey(image), None
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
            raise NoInk(NO_INK)
    if _has_one_luminance(sample):
        return alpha, 0
    opaque = image.convert("L")
    background = Image.new("L", image.size, int(np.asarray(opaque.histogram(to_image(to_array(alpha, _VISIBLE)))).argmax()))
    background.paste(opaque, mask=alpha)
    return background, None


def _sample_size(image: Image.Image) -> tuple[int, int]:
    return max(1, image.width // SAMPLE_STEP), max(1, image.height // SAMPLE_STEP)


def _has_one_luminance(image: Image.Image) -> bool:
    """Whether all visible pixels of an RGBA image have nearly the same luminance."""
    opaque = image.convert("L")
    darkest, lightest = extrema(opaque)
    if lightest - darkest < 2 * MIN_CONTRAST:
        return True
    visible = np.flatnonzero(opaque.histogram(to_image(to_array(image.getchannel("A"), _VISIBLE))))
    return len(visible) == 0 or bool(visible[-1] - visible[0] < 2 * MIN_CONTRAST)


def to_grey(image: Image.Image) -> Image.Image:
    """Convert an opaque image of any mode to "L"; 16-bit and float levels are stretched to 0..255."""
    if image.mode == "L":
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.astype(np.uint8))
    return image.convert("L")


def crop_drawing(light: Image.Image) -> tuple[Image.Image, Box] | None:
    """The difference of an "L" image from a white or black blank sheet, cropped to the drawing, and the drawing's box.

    None where it is not a drawing on such a sheet: the edge has another level, the drawing touches it, or there is noise or
    hardly any blank around the drawing.
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
    is_blank = sum(_near(counts, 0, UNIFORM)) >= BLANK * sample.width * sample.height
    return (drawing, box) if is_blank and (max(light.size) <= TINY or _is_uniform(counts, 0)) else None


def downscale(image: Image.Image, side: int = WORK_SIDE) -> tuple[Image.Image, int]:
    """Average an "L" image down to at most ``side`` pixels by the smallest integer factor; returns the factor as well."""
    factor = -(-max(image.size) // side)
    return (image.reduce(factor) if factor > 1 else image), factor


def extract_ink(image: Image.Image, background: int | None = None, factor: int = 1) -> ExtractedInk:
    """Extract the ink of an "L" image, without specks, lines and edges.

    ``background`` is the level of the background where it is known. ``factor`` is how far the image was reduced, which makes
    a stroke of one pixel fainter by as much.

    Raises:
        NoInk: no pixel differs enough from the background.
    """
    lowest, highest = extrema(image)
    if highest - lowest < max(MIN_REDUCED_CONTRAST, MIN_CONTRAST // factor):
        raise NoInk(NO_INK)
    pixels = to_array(image)
    level = uniform_background(image, pixels) if background is None else background
    if level is not None:
        ink = stretch(pixels, level, lowest, highest)
        box, is_alone = bounding_box(ink)
        if is_alone:
            return ExtractedInk(ink, box, level, count_slanted_characters(ink, box, MIN_CONTRAST))
        found = extract_main_ink(ink, float(MIN_CONTRAST))
    else:
        found = extract_main_ink(*extract_unevenly_lit_ink(pixels))
    if found is None:
        raise NoInk(NO_INK)
    characters = max(count_characters(*candidates) for candidates in found.candidates)
    return ExtractedInk(found.ink, bounding_box(found.ink)[0], None, characters)


def stretch(pixels: Grey, background: int, lowest: int, highest: int) -> Grey:
    """Levels mapped through ``ink_table``."""
    if (background, lowest, highest) == (0, 0, 255):  # a drawing at full strength: the table only removes what is faint
        return pixels * (pixels > _HIGHEST_FAINT)
    mapped = pixels.tobytes().translate(ink_table(background, lowest, highest))  # faster than take()
    return np.frombuffer(mapped, dtype=np.uint8).reshape(pixels.shape)


@lru_cache(maxsize=256)
def ink_table(background: int, lowest: int, highest: int) -> bytes:
    """The look-up table from the levels of an "L" image with a uniform background to ink.

    Ink is the difference from the background in the direction of the larger extreme: the background becomes 0, the extreme
    255, and what is below ``FLOOR`` of it 0 as well.
    """
    extreme = highest if highest - background > background - lowest else lowest
    table = (np.arange(256) - background) * (255 / (extreme - background))
    table[table < FLOOR * 255] = 0
    table[max(0, background - 1) : background + 2] = 0
    return bytes(np.minimum(table, 255).astype(np.uint8))


def uniform_background(image: Image.Image, pixels: Grey) -> int | None:
    """The level of the background where nearly all of it has one level, None where it is uneven or noisy; ``pixels`` are those
    of the image."""
    is_tiny = max(image.size) <= TINY
    edge = int(pixels[0, 0])
    if is_tiny and _is_background_of_tiny(pixels, edge):
        return edge
    counts = image.histogram()
    bordered = all((side == edge).all() for side in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    if bordered and _is_uniform(counts, edge) and sum(_near(counts, edge, UNIFORM)) > image.width * image.height / 2:
        return edge
    weights = np.asarray(counts, dtype=np.float64)
    threshold = otsu_threshold(weights)
    is_light = is_background_light(pixels, weights, threshold)
    side = [0] * (threshold + 1) + counts[threshold + 1 :] if is_light else counts[: threshold + 1]
    level = side.index(max(side))
    if is_tiny:
        return level
    return level if _is_uniform(counts, level) and sum(_near(counts, level, UNIFORM)) >= 0.7 * sum(side) else None


def _is_background_of_tiny(pixels: Grey, level: int) -> bool:
    """Whether a level is surely the background of a tiny image: it is black or white, all corners have it, and more than half
    of the pixels."""
    corners = (pixels[0, 0], pixels[0, -1], pixels[-1, 0], pixels[-1, -1])
    return level in (0, 255) and all(corner == level for corner in corners) and pixels.tobytes().count(level) > pixels.size / 2


def _is_uniform(counts: list[int], level: int) -> bool:
    """Whether hardly any pixel has a level near the background's that is not the background's."""
    return sum(_near(counts, level, UNIFORM)) >= 0.9 * sum(_near(counts, level, NOISE))


def _near(counts: list[int], level: int, distance: int) -> list[int]:
    return counts[max(0, level - distance) : level + distance + 1]


def extrema(image: Image.Image) -> tuple[int, int]:
    """The lowest and the highest grey level of an "L" image."""
    lowest, highest = image.getextrema()
    assert isinstance(lowest, int) and isinstance(highest, int)
    return lowest, highest


_HIGHEST_FAINT: Final = int(FLOOR * 255)
_VISIBLE: Final = bytes([0] * MIN_CONTRAST + [255] * (256 - MIN_CONTRAST))
