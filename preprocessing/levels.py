"""Grey levels as an array and as a Pillow picture, each from the other by the shortest way."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom; exclusive


def levels(image: Image.Image, table: bytes | None = None) -> Grey:
    """``uint8[H,W]``, read-only, of an "L" picture; through a ``table`` of 256 levels where one is given.

    ``numpy.asarray`` takes a third longer, and Pillow's ``point`` rounds every number of its table in Python at each call:
    more than all the rest for a small picture, nothing for a large one.
    """
    content = image.tobytes()
    return np.frombuffer(content.translate(table) if table else content, dtype=np.uint8).reshape(image.height, image.width)


def picture(grey: Grey) -> Image.Image:
    """An "L" picture of ``uint8[H,W]``."""
    height, width = grey.shape
    return Image.frombuffer("L", (width, height), grey.tobytes(), "raw", "L", 0, 1)
