"""Ink of any size and place to the frame a model was trained on: crop, scale into the box, centre."""

import numpy as np
from PIL import Image

from preprocessing.decode import NoInk
from preprocessing.spec import InputSpec


def crop(ink: Image.Image) -> Image.Image:
    """The bounding box of the ink (mode "L", 0 is paper).

    Raises:
        NoInk: there is none.
    """
    box = ink.getbbox()
    if box is None:
        raise NoInk("Nothing is drawn on the image.")
    return ink.crop(box)


def fit(ink: Image.Image, box: int) -> Image.Image:
    """Scale so that the longer side is ``box`` pixels, keeping the aspect, antialiased in both directions."""
    scale = box / max(ink.size)
    width, height = (max(1, round(side * scale)) for side in ink.size)
    if (width, height) == ink.size:
        return ink
    return ink.resize((width, height), Image.Resampling.BILINEAR if scale < 1 else Image.Resampling.BICUBIC)


def centre(ink: Image.Image, spec: InputSpec) -> Image.Image:
    """Paste into an empty ``spec.size`` square so that the chosen centre of the ink lies at the middle, to the pixel."""
    if spec.geometry.centring == "mass":
        pixels = np.asarray(ink, dtype=np.float32)
        total = float(pixels.sum())
        middle_x = float(pixels.sum(axis=0) @ np.arange(0.5, ink.width)) / total
        middle_y = float(pixels.sum(axis=1) @ np.arange(0.5, ink.height)) / total
    else:
        middle_x, middle_y = ink.width / 2, ink.height / 2
    left = _clamp(round(spec.size / 2 - middle_x), spec.size - ink.width)
    top = _clamp(round(spec.size / 2 - middle_y), spec.size - ink.height)
    frame = Image.new("L", (spec.size, spec.size))
    frame.paste(ink, (left, top))
    return frame


def _clamp(offset: int, room: int) -> int:
    return min(max(offset, 0), room)
