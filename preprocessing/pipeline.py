"""Encoded bytes to a model's tensor, one pure step after the other."""

import contextlib
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import geometry, objects
from preprocessing import ink as inks
from preprocessing.errors import NoInk
from preprocessing.levels import Box, Grey, picture
from preprocessing.spec import InputSpec

Tensor = npt.NDArray[np.float32]

# Thin strokes lose strength when they are averaged into the box; the typical inked pixel gets at least this level back.
TYPICAL_INK: Final = 195
# Ink smaller than this after averaging is looked at again from nearby.
CLOSE_SIDE: Final = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of preprocessing as a person can look at it: an "L" picture and one line on what was done."""

    name: str
    image: Image.Image
    note: str


class ModelInput(NamedTuple):
    """What a model is given, ``float32[channels, size, size]``, and how many separate characters the picture shows.

    Characters are counted in ink; a picture of an object counts as one.
    """

    tensor: Tensor
    characters: int


def preprocess(image: Image.Image, spec: InputSpec) -> Tensor:
    """A decoded picture to ``float32[channels, size, size]``.

    Raises:
        NoInk: nothing is drawn on it, or nothing stands out from its ground.
    """
    return model_input(image, spec).tensor


def model_input(image: Image.Image, spec: InputSpec) -> ModelInput:
    """A decoded picture to the tensor of a model, and how many separate characters the picture shows.

    Raises:
        NoInk: as ``preprocess``.
    """
    if spec.geometry.subject == "object":
        return ModelInput(tensor(objects.place(objects.find(*objects.opaque(image)), spec), spec), 1)
    found, cropped = look(*inks.luminance(image))
    return ModelInput(tensor(place(cropped, spec), spec), found.characters)


def stages(image: Image.Image, spec: InputSpec) -> list[Stage]:
    """Every step from the decoded picture to the frame the model sees, in order.

    Raises:
        NoInk: nothing is drawn on it, or nothing stands out from its ground.
    """
    if spec.geometry.subject == "object":
        return _object_stages(image, spec)
    light, paper = inks.luminance(image)
    found, cropped = look(light, paper)
    return [
        Stage("gray", light, f"One channel, {light.width}x{light.height}, transparency laid on a plain ground."),
        Stage(
            "ink",
            picture(found.ink),
            "Paper is black, the strongest stroke white, whichever was darker; specks, lines and edges are left out.",
        ),
        Stage("crop", cropped, f"The {cropped.width}x{cropped.height} pixels around the ink."),
        Stage("input", picture(place(cropped, spec)), _placement(spec)),
    ]


def _object_stages(image: Image.Image, spec: InputSpec) -> list[Stage]:
    light, level = objects.opaque(image)
    thing = objects.find(light, level)
    crop, whole = objects.cut_out(thing, light.size)
    width, height = thing.crop.size
    return [
        Stage("gray", light, f"One channel, {light.width}x{light.height}; what is transparent is ground."),
        Stage("object", whole, "The ground is black; on a light ground the thing is shown as a negative. Dust is left out."),
        Stage("crop", picture(crop), f"The {width}x{height} pixels around the thing, its strongest level white."),
        Stage("input", picture(objects.place(thing, spec)), _placement(spec)),
    ]


def place(cropped: Image.Image, spec: InputSpec) -> Grey:
    """The frame of cropped ink: fitted into the box with a usual pen, firm, centred, in the polarity of the model."""
    fitted = geometry.firm(geometry.with_pen(cropped, spec.geometry.fit_box), TYPICAL_INK)
    frame = geometry.centre(fitted, spec)
    return 255 - frame if spec.geometry.polarity == "dark_on_light" else frame


def look(light: Image.Image, paper: int | None) -> tuple[inks.Found, Image.Image]:
    """What is drawn on an "L" picture, averaged down, and the crop of it; ``paper`` is the level of the paper, if known.

    The crop is of the full resolution where the ink stands alone on an even ground, so that its place does not matter, and
    where it is small on a large page; otherwise of the averaged picture.

    Raises:
        NoInk: nothing is drawn on it.
    """
    if paper is None and (drawing := inks.drawn_on_blank(light)):
        light, paper = drawing, 0
    if paper == 0:
        light = around(light)
    grey, factor = inks.shrink(light)
    found = inks.ink(grey, paper, factor)
    cropped = found.crop()
    if factor == 1:
        return found, cropped
    if found.ground is not None:
        full = part(light, found.box, factor, margin=1)
        full = full.point(list(inks.on_even_ground(found.ground, *inks.extrema(full))))
        return found, full.crop(full.getbbox())
    if max(cropped.size) < CLOSE_SIDE:
        closer, less = inks.shrink(part(light, found.box, factor, margin=max(cropped.size) // 3 + 2))
        with contextlib.suppress(NoInk):
            return found, inks.ink(closer, paper, less).crop()
    return found, cropped


def around(opacity: Image.Image) -> Image.Image:
    """What is drawn on nothing, with an empty margin on every side: where it lay in the picture does not matter."""
    box = opacity.getbbox()
    assert box is not None
    left, top, right, bottom = box
    margin = 2 * -(-max(right - left, bottom - top) // inks.WORK_SIDE)
    return opacity.crop((left - margin, top - margin, right + margin, bottom + margin))


def part(light: Image.Image, box: Box, factor: int, margin: int) -> Image.Image:
    """The part of a picture that a box in its ``factor``-fold reduction covers, and ``margin`` reduced pixels around."""
    left, top = (max(0, edge - margin) * factor for edge in box[:2])
    right, bottom = ((edge + margin) * factor for edge in box[2:])
    return light.crop((left, top, min(light.width, right), min(light.height, bottom)))


def tensor(frame: Image.Image | Grey, spec: InputSpec) -> Tensor:
    """A ``size`` x ``size`` frame, an "L" picture or ``uint8``, normalised, repeated: ``float32[channels, size, size]``."""
    plane = np.asarray(frame, dtype=np.float32) * np.float32(1 / (255 * spec.normalisation.std))
    if spec.normalisation.mean:
        plane -= np.float32(spec.normalisation.mean / spec.normalisation.std)
    return plane[None] if spec.channels == 1 else np.stack([plane] * spec.channels)


def _placement(spec: InputSpec) -> str:
    centring = "centre of mass" if spec.geometry.centring == "mass" else "bounding box"
    return f"Scaled into {spec.geometry.fit_box}x{spec.geometry.fit_box}, {centring} at the middle of {spec.size}x{spec.size}."
