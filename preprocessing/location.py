"""Finds the ink of an image at a working size, and crops it from the full size."""

import contextlib
from typing import Final, NamedTuple

from PIL import Image

from preprocessing.errors import NoInk
from preprocessing.ink import WORK_SIDE, ExtractedInk, crop_drawing, downscale, extract_ink, extrema, stretch
from preprocessing.pixels import Box, scaled_up, shifted, to_array, to_image

# Ink smaller than this after the image was reduced is extracted again at a higher resolution.
CLOSE_SIDE: Final = 60


class Sheet(NamedTuple):
    """An "L" image, or the part of it that a drawing is on, whose top left pixel is ``origin`` of the whole.

    ``background`` is the level of its background, if that is known.
    """

    light: Image.Image
    background: int | None
    origin: tuple[int, int]

    def image_box(self, box: Box, factor: int) -> Box:
        """A box of the sheet, reduced by ``factor``, in pixels of the image; it may reach beyond its edges."""
        return shifted((*self.origin, 0, 0), scaled_up(box, factor, self.light.size))


class LocatedInk(NamedTuple):
    """Ink at the working size, its ``crop`` as an "L" image, and how far the sheet was reduced."""

    ink: ExtractedInk
    crop: Image.Image
    sheet: Sheet
    factor: int

    @property
    def box(self) -> Box:
        """The box of the ink in the image."""
        return self.sheet.image_box(self.ink.box, self.factor)


def locate_ink(light: Image.Image, background: int | None) -> tuple[ExtractedInk, Image.Image]:
    """Extract the ink of an "L" image, reduced to the working size, and crop it; ``background`` is its level, if known.

    The crop has full resolution where the ink stands alone on a uniform background, so that its position does not matter, and
    where it is small on a large page. Otherwise it has the working size.

    Raises:
        NoInk: nothing is drawn on it.
    """
    found = locate_on(crop_sheet(light, background))
    return found.ink, found.crop


def crop_sheet(light: Image.Image, background: int | None) -> Sheet:
    """The part of an "L" image that a drawing on a blank sheet is on; the whole where it is no such drawing."""
    origin = 0, 0
    if background is None and (found := crop_drawing(light)):
        (light, (left, top, _, _)), background = found, 0
        origin = left, top
    if background == 0:
        light, (left, top) = with_margin(light)
        origin = origin[0] + left, origin[1] + top
    return Sheet(light, background, origin)


def locate_on(sheet: Sheet) -> LocatedInk:
    """Extract the ink of a sheet and crop it, as ``locate_ink``.

    Raises:
        NoInk: nothing is drawn on it.
    """
    light, background, _ = sheet
    reduced, factor = downscale(light)
    found = extract_ink(reduced, background, factor)
    crop = found.crop()
    if factor == 1:
        return LocatedInk(found, crop, sheet, factor)
    if found.background is not None:
        full = crop_region(light, found.box, factor, margin=1)
        full = to_image(stretch(to_array(full), found.background, *extrema(full)))
        crop = full.crop(full.getbbox())
    elif max(crop.size) < CLOSE_SIDE:
        region, region_factor = downscale(crop_region(light, found.box, factor, margin=max(crop.size) // 3 + 2))
        with contextlib.suppress(NoInk):
            crop = extract_ink(region, background, region_factor).crop()
    return LocatedInk(found, crop, sheet, factor)


def with_margin(light: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """A drawing on a background of 0, cropped with a margin of its own, so that its position in the image does not matter.

    The second result is where its top left pixel was, which may be outside the image.
    """
    box = light.getbbox()
    assert box is not None
    left, top, right, bottom = box
    margin = 2 * -(-max(right - left, bottom - top) // WORK_SIDE)
    return light.crop((left - margin, top - margin, right + margin, bottom + margin)), (left - margin, top - margin)


def crop_region(light: Image.Image, box: Box, factor: int, margin: int) -> Image.Image:
    """The part of an image under a box of its ``factor``-fold reduction, with ``margin`` reduced pixels around it."""
    left, top = (max(0, edge - margin) * factor for edge in box[:2])
    right, bottom = ((edge + margin) * factor for edge in box[2:])
    return light.crop((left, top, min(light.width, right), min(light.height, bottom)))
