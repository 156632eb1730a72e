"""A picture as it is kept: upright, not too large, and nothing of where and with what it was taken."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

SIDE: Final = 1024
THUMBNAIL_SIDE: Final = 160
FORMATS: Final = ("PNG", "JPEG", "WEBP")
GREY: Final = ("1", "L", "LA", "La")
WIDE: Final = ("I", "F")


class BadPicture(Exception):
    """A picture that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of ``width`` x ``height`` pixels, at most ``SIDE`` a side, and one of at most ``THUMBNAIL_SIDE``."""

    png: bytes
    width: int
    height: int
    thumbnail: bytes


def picture(data: bytes) -> Picture:
    """What is kept of a PNG, JPEG or WebP file: its pixels, those of the first frame of an animation.

    Raises:
        BadPicture: it cannot be decoded.
    """
    try:
        image = _plain(_upright(data))
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError and others
        raise BadPicture("The picture cannot be decoded: the file is truncated, corrupt or too large.") from error
    image.thumbnail((SIDE, SIDE))
    png = _encoded(image)
    width, height = image.size
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Picture(png, width, height, _encoded(image))


def _upright(data: bytes) -> Image.Image:
    """The decoded picture, a large JPEG at a fraction of its size, turned as its EXIF says."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    image.draft(image.mode, (SIDE, SIDE))
    image.load()
    return ImageOps.exif_transpose(image)


def _plain(image: Image.Image) -> Image.Image:
    """The pixels alone, in a mode that PNG has and that can be scaled smoothly; 16-bit levels are stretched to 0..255."""
    if image.mode in WIDE or image.mode.startswith("I;16"):
        wide = image.convert("F")
        low, high = wide.getextrema()
        assert isinstance(low, float) and isinstance(high, float)
        scale = 255 / (high - low) if high > low else 0.0
        plain = wide.point(lambda level: level * scale - low * scale).convert("L")
    else:
        mode = "L" if image.mode in GREY else "RGB"
        plain = image.convert(f"{mode}A" if image.has_transparency_data else mode)
    plain.info.clear()
    return plain


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
