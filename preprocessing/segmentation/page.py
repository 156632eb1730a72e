"""Extracts all ink of an image at a size at which every character is large enough to be read."""

from typing import Final, NamedTuple

from preprocessing.connected_components import Component, Labels, find_components, union_box
from preprocessing.errors import NoInk
from preprocessing.illumination import extract_unevenly_lit_ink
from preprocessing.ink import MIN_CONTRAST, MIN_REDUCED_CONTRAST, NO_INK, extrema, ink_table, uniform_background
from preprocessing.location import Sheet, crop_region
from preprocessing.main_ink import MIN_PEAK, find_lines, without_edge_shadows
from preprocessing.pixels import Box, Grey, to_array

# An image is reduced to at most so many pixels: a line of eight digits is then about 100 pixels high.
WORK_PIXELS: Final = 70_000
# Ink that covers less than this share of an image is extracted again from the part of the image around it.
CLOSE_SHARE: Final = 0.5
# Specks have less than this share of the heaviest component's mass.
MIN_MASS: Final = 0.004
# In a photo, ink of at least this level is written; printed lines are fainter. Writing has at least this share of its height.
MIN_PEN: Final = 76.0
LARGE: Final = 0.06


class Page(NamedTuple):
    """Ink ``uint8[H,W]`` (0 is paper, 255 the strongest stroke), and its components but for lines, edges, specks and noise.

    ``labels`` ``int32[H,W]`` has the label of the component of every pixel. ``factor`` is how far the sheet was reduced.
    """

    ink: Grey
    components: list[Component]
    labels: Labels
    sheet: Sheet
    factor: int

    def image_box(self, box: Box, size: tuple[int, int]) -> Box:
        """A box of the page in pixels of the image, which has this size."""
        left, top, right, bottom = self.sheet.image_box(box, self.factor)
        return max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])


def extract_page(sheet: Sheet) -> Page:
    """Extract the ink of a sheet.

    Raises:
        NoInk: no pixel differs enough from the background.
    """
    page, level = _extract(sheet, is_whole=sheet.background is None)
    left, top, right, bottom = union_box(page.components)
    if page.factor == 1 or (right - left) * (bottom - top) > CLOSE_SHARE * page.ink.size:
        return page
    margin = max(right - left, bottom - top) // 8 + 2
    part = crop_region(sheet.light, (left, top, right, bottom), page.factor, margin)
    across, down = sheet.origin
    origin = across + max(0, left - margin) * page.factor, down + max(0, top - margin) * page.factor
    try:
        return _extract(Sheet(part, level, origin), is_whole=False)[0]
    except NoInk:
        return page


def _extract(sheet: Sheet, *, is_whole: bool) -> tuple[Page, int | None]:
    """Extract the ink of a sheet, and find the level of a uniform background.

    Lines and edges are removed where the sheet is the whole image, and where it is a part of a photo.
    """
    light, factor = sheet.light, 1
    while light.width * light.height > WORK_PIXELS * factor * factor:
        factor += 1
    reduced = light.reduce(factor) if factor > 1 else light
    lowest, highest = extrema(reduced)
    if highest - lowest < max(MIN_REDUCED_CONTRAST, MIN_CONTRAST // factor):
        raise NoInk(NO_INK)
    level = uniform_background(reduced, to_array(reduced)) if sheet.background is None else sheet.background
    if level is not None:
        ink, noise = to_array(reduced, ink_table(level, lowest, highest)), float(MIN_CONTRAST)
    else:
        ink, noise = extract_unevenly_lit_ink(to_array(reduced))
        noise = max(noise, MIN_PEN)
    mask = ink > noise
    if is_whole or level is None:
        without_lines = mask & ~find_lines(mask) & ~find_lines(mask.T).T
        mask = without_lines if without_lines.any() else mask
    components, labels = find_components(mask, ink)
    strong = [component for component in components if component.peak >= MIN_PEAK]
    if level is None:
        strong = _without_cut_off(strong, ink.shape)
    elif is_whole:
        strong = without_edge_shadows(strong, ink.shape)
    if not strong:
        raise NoInk(NO_INK)
    heaviest = max(component.mass for component in strong)
    return Page(ink, [one for one in strong if one.mass >= MIN_MASS * heaviest], labels, sheet, factor), level


def _without_cut_off(components: list[Component], shape: tuple[int, ...]) -> list[Component]:
    """The components of a photo that touch no edge, as shadows and what is around the paper do; all where none is large."""
    height, width = shape
    inner = [one for one in components if one.box[0] > 0 and one.box[1] > 0 and one.box[2] < width and one.box[3] < height]
    large = any(one.box[3] - one.box[1] >= LARGE * min(shape) for one in inner)
    return inner if large else without_edge_shadows(components, shape)
