"""Preprocesses a decoded image to the input tensor of a model, as a sequence of pure functions."""

import contextlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image

from preprocessing import geometry, objects, photo
from preprocessing.errors import NoInk
from preprocessing.ink import WORK_SIDE, ExtractedInk, crop_drawing, downscale, extract_ink, extrema, ink_table, luminance
from preprocessing.pixels import Box, Grey, to_array, to_image
from preprocessing.spec import InputSpec, PhotoGeometry
from preprocessing.tensors import Tensor, tensor

# Thin strokes become faint when they are averaged down; the typical inked pixel is brought back to at least this level.
TYPICAL_INK: Final = 195
# The longer side of the images of an object that stages show.
PREVIEW_SIDE: Final = 400
# Ink smaller than this after the image was reduced is extracted again at a higher resolution.
CLOSE_SIDE: Final = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """The result of one preprocessing stage, for people: an image, grey or in colour, and one line on what was done."""

    name: str
    image: Image.Image
    note: str


class ModelInput(NamedTuple):
    """The input of a model (``spec.shape`` and ``spec.type``), and how many separate characters the image shows.

    Characters are counted in ink; an image of an object and a photo count as one.
    """

    tensor: Tensor
    characters: int


def preprocess(image: Image.Image, spec: InputSpec) -> Tensor:
    """Preprocess a decoded image to the input of a model, of ``spec.shape`` and ``spec.type``.

    Raises:
        NoInk: nothing is drawn on it, or nothing stands out from its background.
    """
    return model_input(image, spec).tensor


def model_input(image: Image.Image, spec: InputSpec) -> ModelInput:
    """Preprocess a decoded image, and count the separate characters it shows.

    Raises:
        NoInk: as ``preprocess``.
    """
    if spec.geometry.subject == "ink":
        found, crop = locate_ink(*luminance(image))
        return ModelInput(tensor(frame_ink(crop, spec), spec), found.characters)
    return ModelInput(tensor(frame_image(image, spec), spec), 1)


def frame_image(image: Image.Image, spec: InputSpec) -> Image.Image | Grey:
    """The model's frame of a decoded image, before it is normalised: an image, or grey levels ``uint8[H,W]``.

    Raises:
        NoInk: as ``preprocess``.
    """
    if isinstance(spec.geometry, PhotoGeometry):
        return photo.frame_photo(image, spec)
    if spec.geometry.subject == "object":
        return objects.frame_object(objects.segment(*objects.flatten(image)), spec)
    return frame_ink(locate_ink(*luminance(image))[1], spec)


def stages(image: Image.Image, spec: InputSpec) -> list[Stage]:
    """The results of all preprocessing stages in order, from the decoded image to the frame that the model sees.

    Raises:
        NoInk: as ``preprocess``.
    """
    if isinstance(spec.geometry, PhotoGeometry):
        return _photo_stages(image, spec)
    if spec.geometry.subject == "object":
        return _object_stages(image, spec)
    light, background = luminance(image)
    found, crop = locate_ink(light, background)
    return [
        Stage("gray", light, f"One channel, {light.width}x{light.height}, transparency on a plain background."),
        Stage(
            "ink",
            to_image(found.ink),
            "The paper is black and the strongest stroke white, whichever was darker; specks, lines and edges are removed.",
        ),
        Stage("crop", crop, f"The {crop.width}x{crop.height} pixels around the ink."),
        Stage("input", to_image(frame_ink(crop, spec)), _placement_note(spec)),
    ]


def _object_stages(image: Image.Image, spec: InputSpec) -> list[Stage]:
    light, level = objects.flatten(image)
    found = objects.segment(light, level)
    crop, whole = _preview(found, light.size)
    width, height = found.crop.size
    return [
        Stage("gray", light, f"One channel, {light.width}x{light.height}; transparent pixels are background."),
        Stage("object", whole, "The background is black; an object on a light background is inverted. Dust is removed."),
        Stage("crop", to_image(crop), f"The {width}x{height} pixels around the object, its highest level white."),
        Stage("input", to_image(objects.frame_object(found, spec)), _placement_note(spec)),
    ]


def _photo_stages(image: Image.Image, spec: InputSpec) -> list[Stage]:
    assert isinstance(spec.geometry, PhotoGeometry)
    picture, frame = photo.to_mode(image, photo.MODES[spec.colour]), photo.frame_photo(image, spec)
    channels = "One channel" if spec.colour == "grey" else "In colour"
    note = f"{_FITTED[spec.geometry.fit]} to {spec.width}x{spec.height} ({spec.geometry.filter})."
    if spec.colour != "grey":
        note += f" Channels: {', '.join(spec.colour)}."
    if spec.geometry.polarity != "as_is":
        note += f" Inverted if its border is {'light' if spec.geometry.polarity == 'light_on_dark' else 'dark'}."
    return [
        Stage("picture", picture, f"{channels}, {picture.width}x{picture.height}: the whole picture."),
        Stage("input", frame, note),
    ]


def _preview(found: objects.SegmentedObject, size: tuple[int, int]) -> tuple[Grey, Image.Image]:
    """The object without its background, reduced: its crop, and the whole image of this size."""
    factor = -(-max(size) // PREVIEW_SIDE)
    crop = objects.subtract_background(found, to_array(found.crop.reduce(factor) if factor > 1 else found.crop))
    whole = Image.new("L", (-(-size[0] // factor), -(-size[1] // factor)))
    whole.paste(to_image(crop), (found.position[0] // factor, found.position[1] // factor))
    return crop, whole


def frame_ink(crop: Image.Image, spec: InputSpec) -> Grey:
    """The model's frame of cropped ink: scaled to the box, stroke width and strength normalised, centred, in its polarity."""
    scaled = geometry.boost(geometry.normalise_stroke_width(crop, spec.placement.fit_box), TYPICAL_INK)
    frame = geometry.centre(scaled, spec)
    return 255 - frame if spec.placement.polarity == "dark_on_light" else frame


def locate_ink(light: Image.Image, background: int | None) -> tuple[ExtractedInk, Image.Image]:
    """Extract the ink of an "L" image, reduced to the working size, and crop it; ``background`` is its level, if known.

    The crop has full resolution where the ink stands alone on a uniform background, so that its position does not matter, and
    where it is small on a large page. Otherwise it has the working size.

    Raises:
        NoInk: nothing is drawn on it.
    """
    if background is None and (drawing := crop_drawing(light)):
        light, background = drawing, 0
    if background == 0:
        light = with_margin(light)
    reduced, factor = downscale(light)
    found = extract_ink(reduced, background, factor)
    crop = found.crop()
    if factor == 1:
        return found, crop
    if found.background is not None:
        full = crop_region(light, found.box, factor, margin=1)
        full = full.point(list(ink_table(found.background, *extrema(full))))
        return found, full.crop(full.getbbox())
    if max(crop.size) < CLOSE_SIDE:
        region, region_factor = downscale(crop_region(light, found.box, factor, margin=max(crop.size) // 3 + 2))
        with contextlib.suppress(NoInk):
            return found, extract_ink(region, background, region_factor).crop()
    return found, crop


def with_margin(light: Image.Image) -> Image.Image:
    """A drawing on a background of 0, cropped with a margin of its own, so that its position in the image does not matter."""
    box = light.getbbox()
    assert box is not None
    left, top, right, bottom = box
    margin = 2 * -(-max(right - left, bottom - top) // WORK_SIDE)
    return light.crop((left - margin, top - margin, right + margin, bottom + margin))


def crop_region(light: Image.Image, box: Box, factor: int, margin: int) -> Image.Image:
    """The part of an image under a box of its ``factor``-fold reduction, with ``margin`` reduced pixels around it."""
    left, top = (max(0, edge - margin) * factor for edge in box[:2])
    right, bottom = ((edge + margin) * factor for edge in box[2:])
    return light.crop((left, top, min(light.width, right), min(light.height, bottom)))


def _placement_note(spec: InputSpec) -> str:
    box, centring = spec.placement.fit_box, "centre of mass" if spec.placement.centring == "mass" else "bounding box"
    return f"Scaled into {box}x{box}, {centring} at the middle of {spec.width}x{spec.height}."


_FITTED: Final = {"stretch": "Stretched", "crop": "Scaled, and its middle cut,", "pad": "Scaled, and padded,"}
