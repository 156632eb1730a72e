"""Segments the ink of an image into lines and candidates for characters; which of them are characters, recognition decides.

Over-segmentation and recognition: Casey and Lecolinet, "A survey of methods and strategies in character segmentation", IEEE
Trans. PAMI 18(7), 1996; LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86(11), 1998,
section V.
"""

from typing import Final

from PIL import Image

from preprocessing.connected_components import union_box
from preprocessing.errors import TooManyCharacters
from preprocessing.geometry import stroke_width
from preprocessing.ink import luminance
from preprocessing.location import LocatedInk, crop_sheet, locate_on
from preprocessing.pixels import Box
from preprocessing.segmentation.lattice import CharacterCandidate, Segmentation
from preprocessing.segmentation.page import extract_page
from preprocessing.segmentation.pieces import MAX_WIDTH, Piece, cut_group, cut_ink, line_height, unite
from preprocessing.segmentation.text_lines import find_text_lines

__all__ = ["CharacterCandidate", "Segmentation", "segment"]

# Separate strokes of a character, its dots and flecks included; the time to find lines grows with their square.
MAX_STROKES: Final = 16
# A drawing that is wider than this many times its height is no single character.
MAX_SINGLE: Final = 1.6
# Ink alone that is at most this wide for its height is not cut.
WIDE_ALONE: Final = 0.85


def segment(image: Image.Image, max_characters: int) -> Segmentation:
    """Segment an upright image of any mode into candidates for characters.

    Where one character alone is seen, its crop is that of the models of single characters. Marks beside characters, such as
    commas, points and minus signs, are left out. Boxes are in pixels of this image, which may be smaller than the file.

    Raises:
        NoInk: nothing is drawn on it, or nothing stands out from its background.
        TooManyCharacters: it has more pieces than ``max_characters``.
    """
    sheet = crop_sheet(*luminance(image))
    located: LocatedInk | None = None
    if sheet.light.width <= MAX_SINGLE * sheet.light.height:
        located = locate_on(sheet)
        if (alone := _segment_alone(located, image, max_characters)) is not None:
            return alone
    page = extract_page(sheet)
    if len(page.components) > MAX_STROKES * max_characters:
        raise TooManyCharacters(
            f"The image shows {len(page.components):,} separate strokes, more than {max_characters} characters have. Send it "
            "in several parts, without noise or a patterned background."
        )
    lines = find_text_lines(page.components)
    left, top, right, bottom = union_box(page.components)
    if located is not None and located.ink.characters == 1 and right - left <= MAX_WIDTH * (bottom - top):
        lines = [[page.components]]
    if (count := sum(map(len, lines))) > max_characters:
        raise TooManyCharacters(
            f"The image shows about {count} characters; at most {max_characters} are read. Send it in several parts."
        )
    candidates, pieces = [], []
    pen, spare = max(1.0, stroke_width(page.ink)), max_characters - count
    for number, line in enumerate(lines):
        height = line_height(line)
        cut: list[Piece] = []
        for group in line:
            parts = cut_group(page, group, height, pen, 1 + spare)
            spare -= len(parts) - 1
            cut += parts
        pieces.append(len(cut))
        for one in unite(cut, height):
            box, crop = page.image_box(one.box, image.size), one.crop
            if len(lines) == 1 and one.last - one.first == len(cut):
                located = located or locate_on(sheet)
                if _agree(located, box, page.factor):
                    box, crop = _within(located.box, image), located.crop
            candidates.append(CharacterCandidate(box, number, one.first, one.last, crop, one.prior))
    return Segmentation(candidates, pieces)


def _segment_alone(located: LocatedInk, image: Image.Image, max_characters: int) -> Segmentation | None:
    """Segment ink that stands alone and is at most as wide as one character of a line; None for all other ink."""
    left, top, right, bottom = located.ink.box
    width, height = right - left, bottom - top
    if located.ink.background is None or located.ink.characters != 1 or width > MAX_WIDTH * height:
        return None
    whole = CharacterCandidate(_within(located.box, image), 0, 0, 1, located.crop)
    if width <= WIDE_ALONE * height:
        return Segmentation([whole], [1])
    sheet, ink = located.sheet, located.ink.ink[top:bottom, left:right]
    cut = cut_ink(ink, located.ink.box, height, max(1.0, stroke_width(ink)), max_characters)
    candidates = [
        whole._replace(last=one.last, prior=one.prior)
        if one.last - one.first == len(cut)
        else CharacterCandidate(
            _within(sheet.image_box(one.box, located.factor), image), 0, one.first, one.last, one.crop, one.prior
        )
        for one in unite(cut, height)
    ]
    return Segmentation(candidates, [len(cut)])


def _within(box: Box, image: Image.Image) -> Box:
    left, top, right, bottom = box
    return max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height)


def _agree(located: LocatedInk, box: Box, factor: int) -> bool:
    """Whether the box of the main ink is a box of the page, of this factor, up to their rounding."""
    tolerance = 2 * (located.factor + factor)
    return all(abs(edge - other) <= tolerance for edge, other in zip(located.box, box, strict=True))
