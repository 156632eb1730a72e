"""The picture that rare files show, and what Pillow writes of it."""

import io
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms, ImageDraw

SIDE: Final = 96
LABEL: Final = "7"
ORIENTATION: Final = 0x0112


def seven(size: tuple[int, int] = (SIDE, SIDE), paper: int = 255, ink: int = 0) -> Image.Image:
    """A seven, in grey."""
    image = Image.new("L", size, paper)
    points = [(size[0] * x, size[1] * y) for x, y in ((0.28, 0.2), (0.72, 0.2), (0.45, 0.82))]
    ImageDraw.Draw(image).line(points, fill=ink, width=max(2, min(size) // 12), joint="curve")
    return image


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """The picture in a format of Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def profiles() -> dict[str, dict[str, Any]]:
    """Options for a colour profile, by what it is."""
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {
        "a good profile": {"icc_profile": good},
        "a broken profile": {"icc_profile": b"acsp" + bytes(range(256))},
        "half a profile": {"icc_profile": good[:100]},
        "a profile of 300 kB": {"icc_profile": good + np.random.default_rng(0).bytes(300_000)},
    }
