"""Decodes images to make previews, thumbnails and smaller versions of images that are too large for the service."""

import io
import warnings
from typing import Final

from PIL import Image

from ui.images.media_types import SIGNATURES, media_type
from ui.images.metadata import strip_metadata
from ui.images.polyline import Size

_FORMATS: Final = {kind: kind.removeprefix("image/").upper() for kind in SIGNATURES}
# The operation that turns an image upright, by its EXIF orientation.
_TRANSPOSES: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The orientations in which width and height are exchanged.
_TURNED: Final = (5, 6, 7, 8)

# Longest sides in pixels: twice the displayed size, for high-resolution screens.
PREVIEW_SIDE: Final = 560
THUMBNAIL_SIDE: Final = 96
# Larger images are sent without being decoded here. A JPEG may have more pixels: it is decoded at a fraction of its size.
MAX_PIXELS: Final = 2**25
MAX_JPEG_PIXELS: Final = 2**27
# Longest side in pixels of the smaller image that is sent instead of one that is too large. No model looks at more.
SHRUNK_SIDE: Final = 1600
QUALITY: Final = 90
# Pillow decompresses BMP in Python, so larger ones are sent without being decoded here.
MAX_COMPRESSED_BMP_BYTES: Final = 2**20
# A progressive JPEG is decoded once per scan: limit of pixels times scans.
MAX_SCANNED_PIXELS: Final = 2**29

# Pillow would warn of large and odd images every time; the limits above are checked instead.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def shrink_to_limits(data: bytes, max_bytes: int, max_pixels: int, max_photo_pixels: int, max_side: int) -> bytes:
    """Return the image unchanged or, if it exceeds a limit of the service, a smaller upright JPEG or WebP of it.

    Args:
        max_pixels: limit of width times height for all formats but JPEG.
        max_photo_pixels: the same for JPEG.

    An image that cannot be decoded is returned unchanged, so that the service reports why.
    """
    try:
        image, orientation = _open(data)
        allowed = max_photo_pixels if image.format == "JPEG" else max_pixels
        if len(data) <= max_bytes and image.width * image.height <= allowed and max(image.size) <= max_side:
            return data
        side = min(SHRUNK_SIDE, max_side)
        smaller = _resize(image, orientation, side)
        while smaller is not None:
            encoded = _encode(smaller)
            if len(encoded) <= max_bytes or side < PREVIEW_SIDE:
                return encoded
            side //= 2
            smaller.thumbnail((side, side))
    except Exception:  # as in `preview`
        return data
    return data


def preview(data: bytes) -> bytes | None:
    """Return an upright WebP of at most `PREVIEW_SIDE` pixels a side, or None if the image cannot be decoded."""
    try:
        upright = _resize(*_open(data), PREVIEW_SIDE)
        if upright is None:
            return None
        file = io.BytesIO()
        upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(file, "WEBP")
    except Exception:  # Pillow raises OSError, SyntaxError, struct.error, ValueError and others for damaged images
        return None
    return file.getvalue()


def thumbnail(data: bytes) -> bytes | None:
    """Return an upright WebP of at most `THUMBNAIL_SIDE` pixels a side, or None if the image cannot be decoded."""
    shown = preview(data)
    if shown is None:
        return None
    image = Image.open(io.BytesIO(shown))
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    file = io.BytesIO()
    image.save(file, "WEBP")
    return file.getvalue()


def upright_size(data: bytes) -> Size | None:
    """Return width and height in pixels of an image turned upright, without decoding it; None if that is unknown."""
    try:
        image, orientation = _open(data)
    except Exception:  # as in `preview`
        return None
    turned = orientation in _TURNED
    return (image.height, image.width) if turned else image.size


def _open(data: bytes) -> tuple[Image.Image, int]:
    """Open an image without decoding it; return it with its EXIF orientation.

    Raises:
        Exception: of many types, if it is damaged, is no image, or would take too long to decode.
    """
    kind = media_type(data)
    stripped, orientation = strip_metadata(data, kind)
    image = Image.open(io.BytesIO(stripped), formats=[_FORMATS[kind]])
    if kind == "image/jpeg" and stripped.count(b"\xff\xda") * image.width * image.height > MAX_SCANNED_PIXELS:
        raise ValueError("too many scans")
    if kind == "image/bmp" and image.tile[0].codec_name == "bmp_rle" and len(data) > MAX_COMPRESSED_BMP_BYTES:
        raise ValueError("compressed BMP is too large to decode")
    return image, orientation


def _resize(image: Image.Image, orientation: int, side: int) -> Image.Image | None:
    """Return the image upright and at most `side` pixels a side, or None if it has too many pixels to decode."""
    if image.width * image.height > (MAX_JPEG_PIXELS if image.format == "JPEG" else MAX_PIXELS):
        return None
    image.draft(None, (side, side))
    image.thumbnail((side, side))
    return image.transpose(_TRANSPOSES[orientation]) if orientation in _TRANSPOSES else image


def _encode(image: Image.Image) -> bytes:
    file = io.BytesIO()
    if image.has_transparency_data:
        image.convert("RGBA").save(file, "WEBP", quality=QUALITY)
    else:
        image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
