"""Segments a photographed object from its background, and brings it into the model's frame, light on black.

On a uniform background this is fast and exact. Under uneven light and noise, the object is what differs from a surface fitted
to the border of the image.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from preprocessing import geometry
from preprocessing.background import MIN_CONTRAST, Background, fit_background, uniform_level
from preprocessing.connected_components import (
    Component,
    Labels,
    Mask,
    bounding_box,
    dilate_mask,
    label_components,
    union_box,
)
from preprocessing.errors import NoInk
from preprocessing.ink import downscale, extrema, to_grey
from preprocessing.main_ink import select_components, without_edge_shadows
from preprocessing.pixels import Box, Grey, scaled_up, shifted, to_array, to_image
from preprocessing.spec import InputSpec

# The object is searched for in an image reduced until its longer side is at most this; on a uniform background less is enough,
# because the box is refined in the full image.
WORK_SIDE: Final = 160
COARSE_SIDE: Final = 96
# Images and objects of at most this longer side were made for models: every level counts, and nothing is dust.
EXACT_SIDE: Final = 64
# In larger images, the object is searched for in the reduced image only.
FULL_SEARCH_SIDE: Final = 1024
# On a uniform background, an object pixel has at least this share of the largest contrast.
MIN_CONTRAST_SHARE: Final = 0.03
# Components of this share of the heaviest one belong to the object wherever they are: the other shoe of a pair.
LARGE: Final = 0.25
# Components below this share of the image are dust.
DUST_SHARE: Final = 0.0005
MAX_COMPONENTS: Final = 30
# Pixels below this opacity are transparent, and so is an image with this share of such pixels.
MIN_OPACITY: Final = 24
MIN_TRANSPARENT_SHARE: Final = 0.05
# The level of object pixels that are as light as the background, or lighter than a light one: it shows where the object is.
FAINT_LEVEL: Final = 16
# The highest level of an object is scaled to 255, as in Fashion-MNIST, by at most this gain.
WHITE: Final = 254
MAX_GAIN: Final = 4.0

_NO_OBJECT: Final = (
    "Nothing stands out from the background. Send a picture of one object on a plain background, with more contrast."
)


class SegmentedObject(NamedTuple):
    """An object cropped out of its image at ``position`` (left, top), lighter than its background.

    ``mask`` shows where in the crop it is, at a smaller size; None is everywhere.
    """

    crop: Image.Image
    position: tuple[int, int]
    background: Background
    mask: Image.Image | None


def frame_object(found: SegmentedObject, spec: InputSpec) -> Grey:
    """The model's frame of an object: scaled to the box, on black, centred, in the polarity of the model.

    Raises:
        NoInk: at this size, nothing differs from the background.
    """
    foreground = subtract_background(found, geometry.scale_to_box(found.crop, spec.placement.fit_box, Image.Resampling.BOX))
    if not foreground.any():
        raise NoInk(_NO_OBJECT)
    frame = geometry.centre(foreground, spec)
    return 255 - frame if spec.placement.polarity == "dark_on_light" else frame


def subtract_background(found: SegmentedObject, crop: Grey) -> Grey:
    """The levels of the crop, scaled to any size, above the background: 0 is background, 255 white or the highest level."""
    if found.mask is None and found.background.level == 0:
        foreground = crop
    else:
        background = found.background.levels(*crop.shape)
        above = crop - background
        scaled = above * (255 / np.maximum(255 - background, 1))
        scaled[above < -max(found.background.tolerance, 0.5)] = FAINT_LEVEL
        if found.mask is not None:
            scaled[to_array(found.mask.resize(crop.shape[::-1], Image.Resampling.BOX)) == 0] = 0
        foreground = (np.clip(scaled, 0, 255) + 0.5).astype(np.uint8)
    highest = int(np.maximum.reduce(foreground, axis=None))
    return foreground if highest >= WHITE else _GAINS[highest].take(foreground)


def flatten(image: Image.Image) -> tuple[Image.Image, int | None]:
    """An "L" image without transparency, and the level of its background where transparency shows it.

    Transparent pixels are background. The visible ones are composited on white and inverted, so that the background is 0 and
    white parts of the object keep a faint level.

    Raises:
        NoInk: the image is transparent everywhere.
    """
    if not image.has_transparency_data:
        return to_grey(image), None
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    alpha = image.getchannel("A")
    if extrema(alpha)[1] < MIN_OPACITY:
        raise NoInk(_NO_OBJECT)
    white = Image.new("L", image.size, 255)
    white.paste(image.convert("L"), mask=alpha)
    if sum(alpha.histogram()[:MIN_OPACITY]) < MIN_TRANSPARENT_SHARE * image.width * image.height:
        return white, None
    flattened = np.maximum(255 - to_array(white), to_array(alpha, _FAINT_BY_OPACITY))
    return to_image(flattened), 0


def segment(light: Image.Image, level: int | None = None) -> SegmentedObject:
    """Find the object in an "L" image; ``level`` is the level of a uniform background where it is known.

    Raises:
        NoInk: nothing differs from the background.
    """
    if level is None:
        level = uniform_level(light)
    return segment_on_uniform(light, level) if level is not None else segment_on_uneven(light)


def segment_on_uniform(light: Image.Image, level: int) -> SegmentedObject:
    """Find the object on a background of one level. Of a small one every pixel is kept, of a larger one dust is removed.

    Raises:
        NoInk: nothing differs from the background.
    """
    # Cropped first, so that the amount of background does not change the result; for a large image that is too slow.
    box = difference_box(light, level, 0) if max(light.size) <= FULL_SEARCH_SIDE else (0, 0, *light.size)
    crop = light.crop(box)
    lowest, highest = extrema(crop)
    contrast = max(highest - level, level - lowest)
    if contrast < MIN_CONTRAST:
        raise NoInk(_NO_OBJECT)
    tolerance = 0
    if max(crop.size) > EXACT_SIDE:
        tolerance = int(max(MIN_CONTRAST, MIN_CONTRAST_SHARE * contrast)) - 1
        reduced, factor = downscale(crop, COARSE_SIDE)
        # Padded, because components at the edge of an image may be dropped, and the edges of this crop are the object's own.
        differences = np.pad(np.abs(to_array(reduced).astype(np.int16) - level), 1)
        components, _ = object_components(differences > min(tolerance, int(differences.max()) // 2), differences)
        box = shifted(box, scaled_up(shifted((-1, -1, -1, -1), union_box(components)), factor, crop.size))
        box = shifted(box, difference_box(light.crop(box), level, tolerance))
        crop = light.crop(box)
    weights = (np.arange(256) - level) * np.array(crop.histogram())
    lighter, darker = int(weights[level:].sum()), -int(weights[:level].sum())
    return to_light_on_dark(SegmentedObject(crop, box[:2], Background(level, (0, 0), (0, 0), tolerance), None), lighter, darker)


def segment_on_uneven(light: Image.Image) -> SegmentedObject:
    """Find the object on a background with noise or uneven light.

    Raises:
        NoInk: nothing differs from the background.
    """
    reduced, factor = downscale(light, WORK_SIDE)
    denoised = to_array(reduced.filter(ImageFilter.MedianFilter(3)))
    background = fit_background(denoised)
    above = denoised - background.levels(*denoised.shape)
    differences = np.abs(above)
    components, labels = object_components(differences > background.tolerance, differences)
    kept = np.isin(labels, [component.label for component in components])
    left, top, right, bottom = union_box(components)
    mask = to_image(dilate_mask(kept)[top:bottom, left:right].astype(np.uint8) * 255)
    box = scaled_up((left, top, right, bottom), factor, light.size)
    found = SegmentedObject(light.crop(box), box[:2], background.cropped(box, light.size), mask)
    return to_light_on_dark(found, float(above[kept & (above > 0)].sum()), -float(above[kept & (above < 0)].sum()))


def to_light_on_dark(found: SegmentedObject, lighter: float, darker: float) -> SegmentedObject:
    """The object or its negative, by how much of it is ``lighter`` than the background and how much ``darker``.

    On a light background, darker parts count more than lighter ones, and the other way round.
    """
    level = min(255.0, max(0.0, found.background.level))
    if darker * level < lighter * (255 - level):
        return found
    return found._replace(crop=to_image(to_array(found.crop, _NEGATIVE)), background=found.background.inverted())


def object_components(mask: Mask, differences: npt.NDArray[np.generic]) -> tuple[list[Component], Labels]:
    """The connected components of the object: the heaviest, large ones, and those nearby; and the labels of all components.

    Raises:
        NoInk: there is none.
    """
    labels, count = label_components(mask)
    flat = labels.ravel()
    areas = np.bincount(flat, minlength=count + 1)
    mass = np.bincount(flat, weights=differences.ravel(), minlength=count + 1)
    mass[areas < DUST_SHARE * mask.size] = 0
    mass[0] = 0
    heaviest = np.argsort(-mass)[:MAX_COMPONENTS].tolist()
    components = [
        Component(i, float(mass[i]), int(mass[i] / areas[i]), bounding_box(labels == i)[0]) for i in heaviest if mass[i] > 0
    ]
    if not components:
        raise NoInk(_NO_OBJECT)
    kept = select_components(without_edge_shadows(components, mask.shape))
    min_mass = LARGE * max(one.mass for one in kept)
    kept += [one for one in components if one not in kept and one.mass >= min_mass and _is_inside(one.box, mask.shape)]
    return kept, labels


def _is_inside(box: Box, shape: tuple[int, ...]) -> bool:
    return box[0] > 0 and box[1] > 0 and box[2] < shape[1] and box[3] < shape[0]


def difference_box(light: Image.Image, level: int, tolerance: int) -> Box:
    """The bounding box of the pixels that differ from the level by more than the tolerance.

    Raises:
        NoInk: there are none.
    """
    differing = light if level == 0 and tolerance == 0 else to_image(to_array(light, _difference_table(level, tolerance)))
    box = differing.getbbox()
    if box is None:
        raise NoInk(_NO_OBJECT)
    return box


@lru_cache(maxsize=256)
def _difference_table(level: int, tolerance: int) -> bytes:
    return bytes(255 * (abs(np.arange(256) - level) > tolerance).astype(np.uint8))


_NEGATIVE: Final = bytes(range(255, -1, -1))
_FAINT_BY_OPACITY: Final = bytes(FAINT_LEVEL * opacity // 255 for opacity in range(256))
# Look-up tables that scale the highest level to 255, by highest level.
_GAINS: Final = np.minimum(
    np.arange(256) * np.minimum(MAX_GAIN, 255 / np.maximum(np.arange(256), 1))[:, None] + 0.5, 255
).astype(np.uint8)
