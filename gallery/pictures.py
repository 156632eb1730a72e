"""A picture as it is kept: upright, not too large, and nothing of where and with what it was taken."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

from gallery.containers import pixels_only

SIDE: Final = 1024
THUMBNAIL_SIDE: Final = 160
FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PNG: Final = "image/png"
# How a picture of each EXIF orientation is turned upright.
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
GREY: Final = ("1", "L", "LA", "La")
WIDE: Final = ("I", "F")
# Of other modes viewers do not show the same: CMYK, and levels of more than eight bits.
SHOWN_ALIKE: Final = ("1", "L", "LA", "P", "RGB", "RGBA")


class BadPicture(Exception):
    """A picture that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of ``width`` x ``height`` pixels, at most ``SIDE`` a side: PNG, JPEG or WebP by its ``media_type``; and a PNG of
    it of at most ``THUMBNAIL_SIDE``."""

    image: bytes
    media_type: str
    width: int
    height: int
    thumbnail: bytes

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return len(self.image) + len(self.thumbnail)


def picture(data: bytes | memoryview, orientation: int = 1) -> Picture:
    """What is kept of a PNG, JPEG, WebP, BMP or GIF file: its pixels, those of the first frame of an animation.

    The encoded pixels are kept as they came where they need no turning or scaling and are not larger than a PNG of them;
    otherwise that PNG is. Nothing else of the file is kept.

    ``orientation`` is what its EXIF says (1 to 8). It is not looked for here: Pillow would parse all of the EXIF for it, which
    takes seconds where somebody means harm; ``data`` should come without EXIF, ICC profiles and text, which Pillow parses as
    well.

    Raises:
        BadPicture: it cannot be decoded.
    """
    data = bytes(data)
    came = pixels_only(data)
    try:
        opened = Image.open(io.BytesIO(came or data), formats=FORMATS)
        as_it_came = orientation == 1 and max(opened.size) <= SIDE and opened.mode in SHOWN_ALIKE
        opened.draft(opened.mode, (SIDE, SIDE))
        box = opened.tile[0].extents if opened.format == "GIF" and opened.tile else None
        opened.load()
        image = _plain(opened)
        if box is not None and box != (0, 0, *opened.size):
            image = _on_nothing(image, box)
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError and others
        raise BadPicture("The picture cannot be decoded: the file is truncated, corrupt or too large.") from error
    image.thumbnail((SIDE, SIDE))
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    kept, media_type = _encoded(image), PNG
    if came is not None and as_it_came and len(came) <= len(kept):
        kept, media_type = came, Image.MIME[opened.format or ""]
    width, height = image.size
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Picture(kept, media_type, width, height, _encoded(image))


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


def _on_nothing(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """What of a picture is in the ``box`` that a GIF's first frame covers, and transparency around."""
    whole = Image.new("RGBA", image.size)
    whole.paste(image.crop(box).convert("RGBA"), box)
    return whole


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
