"""Converts between Pillow images of mode "L" and NumPy arrays by the fastest way, and boxes of pixels."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom; exclusive


def to_array(image: Image.Image, table: bytes | None = None) -> Grey:
    """The pixels of an "L" image, read-only ``uint8[H,W]``, mapped through a look-up ``table`` of 256 levels if one is given.

    ``numpy.asarray`` is a third slower, and ``Image.point`` converts its table in Python at each call, which takes longer than
    the rest for a small image.
    """
    content = image.tobytes()
    return np.frombuffer(content.translate(table) if table else content, dtype=np.uint8).reshape(image.height, image.width)


def to_image(grey: Grey) -> Image.Image:
    """An "L" image of ``uint8[H,W]``, which shares the memory of an array without gaps: it must not change any more."""
    height, width = grey.shape
    return Image.frombuffer("L", (width, height), np.ascontiguousarray(grey), "raw", "L", 0, 1)


def scaled_up(box: Box, factor: int, size: tuple[int, int]) -> Box:
    """The box of an image reduced by ``factor``, in the coordinates of the original image of this size."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, size[0]), min(bottom, size[1])


def shifted(box: Box, inner: Box) -> Box:
    """A box given relative to another one, in the coordinates of the image."""
    left, top = box[:2]
    return left + inner[0], top + inner[1], left + inner[2], top + inner[3]
