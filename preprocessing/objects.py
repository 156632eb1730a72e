"""Where a thing is: a picture of it before an even ground to the thing alone, light on black, as a negative shows it.

A ground of one level takes the short way and is exact. Under uneven light and noise, the thing is what stands out from a
surface through the levels along the border.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from preprocessing import components, geometry
from preprocessing.components import Mask, Piece
from preprocessing.errors import NoInk
from preprocessing.ground import LEAST_CONTRAST, Ground, even, fitted
from preprocessing.ink import extrema, grey, shrink
from preprocessing.levels import Box, Grey, levels, picture
from preprocessing.spec import InputSpec

# The place of the thing is looked for in a picture averaged down until its longer side is at most this; less on an even ground,
# where it is looked at again in full.
WORK_SIDE: Final = 160
GLANCE_SIDE: Final = 96
# And it is shown to people in one of at most this.
SHOWN_SIDE: Final = 400
# Pictures and things of no more pixels along the longer side are made for models: every level counts, nothing is dust.
SMALL: Final = 64
# In larger ones, the thing is looked for in the averaged picture only.
PRECISE: Final = 1024
# On an even ground, a thing stands out by this share of its strongest pixel.
MIN_SHARE: Final = 0.03
# Pieces of this share of the heaviest belong to the thing wherever they are: the other shoe.
LARGE: Final = 0.25
# Share of the picture that is dust.
DUST: Final = 0.0005
MOST_PIECES: Final = 30
# Pixels below this opacity are transparent, and so is a picture with this share of them.
CLEAR: Final = 24
CLEAR_SHARE: Final = 0.05
# What is as light as the ground, or lighter than a light one, still shows where it is.
FAINT: Final = 16
# The strongest level of a thing becomes 255, as everywhere in Fashion-MNIST, but weak ones are not lifted further than this.
WHITE: Final = 254
MAX_GAIN: Final = 4.0

_EMPTY: Final = "Nothing stands out from the ground. Send a picture of one thing before a plain ground, with more contrast."


class Thing(NamedTuple):
    """A thing cropped out of its picture at a ``place`` (left, top), lighter than its ground.

    ``mask`` is where it is, smaller than the crop, or None for everywhere.
    """

    crop: Image.Image
    place: tuple[int, int]
    ground: Ground
    mask: Image.Image | None


def place(thing: Thing, spec: InputSpec) -> Grey:
    """The frame of a thing: fitted into the box, its ground black, centred, in the polarity of the model.

    Raises:
        NoInk: at this size, nothing stands out from the ground.
    """
    fitted = alone(thing, geometry.fit(thing.crop, spec.geometry.fit_box, Image.Resampling.BOX))
    if not fitted.any():
        raise NoInk(_EMPTY)
    frame = geometry.centre(fitted, spec)
    return 255 - frame if spec.geometry.polarity == "dark_on_light" else frame


def alone(thing: Thing, crop: Grey) -> Grey:
    """The levels of the crop, scaled to any size, above its ground: 0 is the ground, 255 is white or the strongest level."""
    if thing.mask is None and thing.ground.level == 0:
        lifted = crop
    else:
        ground = thing.ground.over(*crop.shape)
        above = crop - ground
        scaled = above * (255 / np.maximum(255 - ground, 1))
        scaled[above < -max(thing.ground.tolerance, 0.5)] = FAINT
        if thing.mask is not None:
            scaled[levels(thing.mask.resize(crop.shape[::-1], Image.Resampling.BOX)) == 0] = 0
        lifted = (np.clip(scaled, 0, 255) + 0.5).astype(np.uint8)
    strongest = int(np.maximum.reduce(lifted, axis=None))
    return lifted if strongest >= WHITE else _LIFTED[strongest].take(lifted)


def cut_out(thing: Thing, size: tuple[int, int]) -> tuple[Grey, Image.Image]:
    """The crop above its ground, and the whole picture of this size with all but the thing black: both small, to look at."""
    factor = -(-max(size) // SHOWN_SIDE)
    crop = alone(thing, levels(thing.crop.reduce(factor) if factor > 1 else thing.crop))
    whole = Image.new("L", (-(-size[0] // factor), -(-size[1] // factor)))
    whole.paste(picture(crop), (thing.place[0] // factor, thing.place[1] // factor))
    return crop, whole


def opaque(image: Image.Image) -> tuple[Image.Image, int | None]:
    """Mode "L" picture of what a viewer sees, and the level of its ground where the picture itself says it.

    Transparency is ground, and what is visible is laid on white and shown as a negative. So 0 is the ground, and whatever is
    white keeps a faint level.

    Raises:
        NoInk: every pixel is as good as transparent.
    """
    if not image.has_transparency_data:
        return grey(image), None
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    alpha = image.getchannel("A")
    if extrema(alpha)[1] < CLEAR:
        raise NoInk(_EMPTY)
    white = Image.new("L", image.size, 255)
    white.paste(image.convert("L"), mask=alpha)
    if sum(alpha.histogram()[:CLEAR]) < CLEAR_SHARE * image.width * image.height:
        return white, None
    seen = np.maximum(255 - levels(white), levels(alpha, _FAINT))
    return picture(seen), 0


def find(light: Image.Image, level: int | None = None) -> Thing:
    """The thing on an "L" picture; ``level`` is the level of the ground where it is known.

    Raises:
        NoInk: nothing stands out from the ground.
    """
    if level is None:
        level = even(light)
    return on_even_ground(light, level) if level is not None else on_uneven_ground(light)


def on_even_ground(light: Image.Image, level: int) -> Thing:
    """The thing on a ground of one level. All of a small one is kept, a larger one is looked at for dust.

    Raises:
        NoInk: nothing stands out from the ground.
    """
    # Cropped first, so that it does not matter how much ground is around; in a large picture that is not worth the time.
    box = standing_out(light, level, 0) if max(light.size) <= PRECISE else (0, 0, *light.size)
    crop = light.crop(box)
    lowest, highest = extrema(crop)
    contrast = max(highest - level, level - lowest)
    if contrast < LEAST_CONTRAST:
        raise NoInk(_EMPTY)
    tolerance = 0
    if max(crop.size) > SMALL:
        tolerance = int(max(LEAST_CONTRAST, MIN_SHARE * contrast)) - 1
        work, factor = shrink(crop, GLANCE_SIDE)
        # What touches an edge may not belong to the picture, but these edges are the thing's own.
        standing = np.pad(np.abs(levels(work).astype(np.int16) - level), 1)
        pieces, _ = thing_pieces(standing > min(tolerance, int(standing.max()) // 2), standing)
        box = inside(box, enlarged(inside((-1, -1, -1, -1), around(pieces)), factor, crop.size))
        box = inside(box, standing_out(light.crop(box), level, tolerance))
        crop = light.crop(box)
    differences = (np.arange(256) - level) * np.array(crop.histogram())
    lighter, darker = int(differences[level:].sum()), -int(differences[:level].sum())
    return light_on_dark(Thing(crop, box[:2], Ground(level, (0, 0), (0, 0), tolerance), None), lighter, darker)


def on_uneven_ground(light: Image.Image) -> Thing:
    """The thing on a ground with noise, or under light that falls off.

    Raises:
        NoInk: nothing stands out from the ground.
    """
    work, factor = shrink(light, WORK_SIDE)
    calm = levels(work.filter(ImageFilter.MedianFilter(3)))
    ground = fitted(calm)
    above = calm - ground.over(*calm.shape)
    standing = np.abs(above)
    pieces, labels = thing_pieces(standing > ground.tolerance, standing)
    kept = np.isin(labels, [piece.label for piece in pieces])
    left, top, right, bottom = around(pieces)
    mask = picture(components.grown(kept)[top:bottom, left:right].astype(np.uint8) * 255)
    box = enlarged((left, top, right, bottom), factor, light.size)
    thing = Thing(light.crop(box), box[:2], ground.within(box, light.size), mask)
    return light_on_dark(thing, float(above[kept & (above > 0)].sum()), -float(above[kept & (above < 0)].sum()))


def light_on_dark(thing: Thing, lighter: float, darker: float) -> Thing:
    """The thing or its negative, by how much of it is ``lighter`` than the ground and how much ``darker``.

    What is darker than a light ground weighs more than what is lighter than it, and the other way round.
    """
    middle = min(255.0, max(0.0, thing.ground.level))
    if darker * middle < lighter * (255 - middle):
        return thing
    return thing._replace(crop=picture(levels(thing.crop, _NEGATIVE)), ground=thing.ground.negative())


def thing_pieces(mask: Mask, standing: npt.NDArray[np.generic]) -> tuple[list[Piece], components.Labels]:
    """The pieces that belong to the thing: the heaviest, others of some weight, and what lies near; and the labels of all.

    Raises:
        NoInk: there is none.
    """
    labels, count = components.label(mask)
    line = labels.ravel()
    areas = np.bincount(line, minlength=count + 1)
    mass = np.bincount(line, weights=standing.ravel(), minlength=count + 1)
    mass[areas < DUST * mask.size] = 0
    mass[0] = 0
    heaviest = np.argsort(-mass)[:MOST_PIECES].tolist()
    pieces = [
        Piece(i, float(mass[i]), int(mass[i] / areas[i]), components.bounds(labels == i)[0]) for i in heaviest if mass[i] > 0
    ]
    if not pieces:
        raise NoInk(_EMPTY)
    kept = components.choose(components.off_edges(pieces, mask.shape))
    least = LARGE * max(piece.mass for piece in kept)
    kept += [piece for piece in pieces if piece not in kept and piece.mass >= least and _is_inside(piece.box, mask.shape)]
    return kept, labels


def _is_inside(box: Box, shape: tuple[int, ...]) -> bool:
    return box[0] > 0 and box[1] > 0 and box[2] < shape[1] and box[3] < shape[0]


def around(pieces: list[Piece]) -> Box:
    """The box of all pieces."""
    lefts, tops, rights, bottoms = zip(*(piece.box for piece in pieces), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def enlarged(box: Box, factor: int, size: tuple[int, int]) -> Box:
    """The box in the picture of this size that was averaged down by ``factor``."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, size[0]), min(bottom, size[1])


def inside(box: Box, part: Box) -> Box:
    """A part of a box as a box of the picture."""
    left, top = box[:2]
    return left + part[0], top + part[1], left + part[2], top + part[3]


def standing_out(light: Image.Image, level: int, tolerance: int) -> Box:
    """The box of all that differs from the level by more than the tolerance."""
    distant = light if level == 0 and tolerance == 0 else picture(levels(light, _distance(level, tolerance)))
    box = distant.getbbox()
    if box is None:
        raise NoInk(_EMPTY)
    return box


@lru_cache(maxsize=256)
def _distance(level: int, tolerance: int) -> bytes:
    return bytes(255 * (abs(np.arange(256) - level) > tolerance).astype(np.uint8))


_NEGATIVE: Final = bytes(range(255, -1, -1))
_FAINT: Final = bytes(FAINT * opacity // 255 for opacity in range(256))
_LIFTED: Final = np.minimum(
    np.arange(256) * np.minimum(MAX_GAIN, 255 / np.maximum(np.arange(256), 1))[:, None] + 0.5, 255
).astype(np.uint8)
