"""Preprocesses a decoded image to the input tensor of a model, as a sequence of pure functions."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image

from preprocessing import geometry, objects, photo
from preprocessing.ink import luminance
from preprocessing.location import locate_ink
from preprocessing.pixels import Grey, to_array, to_image
from preprocessing.spec import InputSpec, PhotoGeometry
from preprocessing.tensors import Tensor, tensor

# Thin strokes become faint when they are averaged down; the typical inked pixel is brought back to at least this level.
TYPICAL_INK: Final = 195
# The longer side of the images of an object that stages show.
PREVIEW_SIDE: Final = 400


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
        *crop_stages(crop, spec),
    ]


def crop_stages(crop: Image.Image, spec: InputSpec) -> list[Stage]:
    """The last two stages of ink: its crop, and the frame that the model sees."""
    return [
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


def _placement_note(spec: InputSpec) -> str:
    box, centring = spec.placement.fit_box, "centre of mass" if spec.placement.centring == "mass" else "bounding box"
    return f"Scaled into {box}x{box}, {centring} at the middle of {spec.width}x{spec.height}."


_FITTED: Final = {"stretch": "Stretched", "crop": "Scaled, and its middle cut,", "pad": "Scaled, and padded,"}
