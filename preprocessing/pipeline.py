"""Encoded bytes to a model's tensor, one pure step after the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing import geometry
from preprocessing import ink as inks
from preprocessing.spec import InputSpec

Tensor = npt.NDArray[np.float32]

# A stroke scaled into the box by averaging loses strength; below this the frame is stretched back to full ink.
FULL_INK: Final = 255


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of preprocessing as a person can look at it: an "L" picture and one line on what was done."""

    name: str
    image: Image.Image
    note: str


def preprocess(image: Image.Image, spec: InputSpec) -> Tensor:
    """A decoded picture to ``float32[channels, size, size]``.

    Raises:
        NoInk: nothing is drawn on it.
    """
    return tensor(stages(image, spec)[-1].image, spec)


def stages(image: Image.Image, spec: InputSpec) -> list[Stage]:
    """Every step from the decoded picture to the frame the model sees, in order.

    Raises:
        NoInk: nothing is drawn on it.
    """
    grey = inks.luminance(inks.shrink(image))
    ink = inks.ink(grey)
    cropped = geometry.crop(ink)
    frame = stretch(geometry.centre(geometry.fit(cropped, spec.geometry.fit_box), spec))
    if spec.geometry.polarity == "dark_on_light":
        frame = frame.point(_INVERTED)
    return [
        Stage("gray", grey, f"One channel, {grey.width}x{grey.height}, transparency laid on a plain ground."),
        Stage("ink", ink, "Paper is black, the strongest stroke white, whichever was darker."),
        Stage("crop", cropped, f"The {cropped.width}x{cropped.height} pixels around the ink."),
        Stage("input", frame, _placement(spec)),
    ]


def stretch(frame: Image.Image) -> Image.Image:
    """Scale the ink so that the strongest pixel is full: thin strokes survive the shrinking."""
    _, highest = inks.extrema(frame)
    if highest in (0, FULL_INK):
        return frame
    return frame.point([min(FULL_INK, round(level * FULL_INK / highest)) for level in range(256)])


def tensor(frame: Image.Image, spec: InputSpec) -> Tensor:
    """A ``size`` x ``size`` "L" frame, normalised, repeated over the channels: ``float32[channels, size, size]``."""
    scale = 1 / (255 * spec.normalisation.std)
    offset = spec.normalisation.mean / spec.normalisation.std
    plane = np.asarray(frame, dtype=np.float32) * np.float32(scale) - np.float32(offset)
    return np.ascontiguousarray(np.broadcast_to(plane, (spec.channels, spec.size, spec.size)))


def _placement(spec: InputSpec) -> str:
    centring = "centre of mass" if spec.geometry.centring == "mass" else "bounding box"
    return f"Scaled into {spec.geometry.fit_box}x{spec.geometry.fit_box}, {centring} at the middle of {spec.size}x{spec.size}."


_INVERTED: Final = list(range(255, -1, -1))
