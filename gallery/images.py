"""Prepares an image for storage: upright, at most 1024 pixels a side, without metadata, with a thumbnail."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

from gallery.metadata_removal import remove_metadata

MAX_SIDE: Final = 1024
THUMBNAIL_SIDE: Final = 160
FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PNG: Final = "image/png"
# The transposition that turns an image upright, by its EXIF orientation.
TRANSPOSITIONS: Final = {
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
# Other modes look different in different viewers: CMYK, and levels of more than eight bits.
PORTABLE_MODES: Final = ("1", "L", "LA", "P", "RGB", "RGBA")


class InvalidImage(Exception):
    """An image that cannot be decoded; the message says why."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of at most ``MAX_SIDE`` pixels a side (PNG, JPEG or WebP, by ``media_type``), and a PNG thumbnail of it."""

    image: bytes
    media_type: str
    width: int
    height: int
    thumbnail: bytes

    @property
    def size(self) -> int:
        """The size of image and thumbnail in bytes."""
        return len(self.image) + len(self.thumbnail)


def prepare_image(data: bytes | memoryview, orientation: int = 1) -> StoredImage:
    """Prepare a PNG, JPEG, WebP, BMP or GIF file (the first frame of an animation) for storage.

    The encoded pixels are stored unchanged if they need no rotation or scaling and are not larger than a PNG; else as a PNG.
    Nothing else of the file is stored.

    ``orientation`` is that of its EXIF (1 to 8). It is not read here, because Pillow would parse all of the EXIF, which takes
    seconds for a crafted file. ``data`` should be without EXIF, ICC profiles and text, which Pillow parses as well.

    Raises:
        InvalidImage: it cannot be decoded.
    """
    data = bytes(data)
    original = remove_metadata(data)
    try:
        source = Image.open(io.BytesIO(original or data), formats=FORMATS)
        keep_original = orientation == 1 and max(source.size) <= MAX_SIDE and source.mode in PORTABLE_MODES
        source.draft(source.mode, (MAX_SIDE, MAX_SIDE))
        box = source.tile[0].extents if source.format == "GIF" and source.tile else None
        source.load()
        image = _normalised(source)
        if box is not None and box != (0, 0, *source.size):
            image = _on_transparent(image, box)
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError and others
        raise InvalidImage("The picture cannot be decoded: the file is truncated, corrupt or too large.") from error
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    if orientation in TRANSPOSITIONS:
        image = image.transpose(TRANSPOSITIONS[orientation])
    encoded, media_type = _encoded(image), PNG
    if original is not None and keep_original and len(original) <= len(encoded):
        encoded, media_type = original, Image.MIME[source.format or ""]
    width, height = image.size
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return StoredImage(encoded, media_type, width, height, _encoded(image))


def _normalised(image: Image.Image) -> Image.Image:
    """The pixels without metadata, in a mode of PNG that can be resampled; 16-bit and float levels are stretched to 0..255."""
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


def _on_transparent(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of an image in ``box``, which a GIF's first frame covers, on a transparent background."""
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.crop(box).convert("RGBA"), box)
    return canvas


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
