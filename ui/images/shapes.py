"""Pictures of objects made of shapes filled with a grey."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from ui.images.polyline import SCALE, SIDE

BACKGROUND: Final = 255


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon in pixels of a picture of `SIDE` pixels a side, filled with a grey level, 0 to 255."""

    points: tuple[tuple[int, int], ...]
    grey: int


def render(shapes: Sequence[Shape]) -> bytes:
    """Return the PNG of shapes, the first at the bottom, on white."""
    image = Image.new("L", (SIDE * SCALE, SIDE * SCALE), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for shape in shapes:
        draw.polygon([(x * SCALE, y * SCALE) for x, y in shape.points], shape.grey)
    file = io.BytesIO()
    image.reduce(SCALE).save(file, "PNG", optimize=True)
    return file.getvalue()
