"""Pictures as visitors send them: what kind of file they are, and a small one to look at."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps

# What the service reads, by how the content begins.
_SIGNATURES: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}
UNKNOWN: Final = "application/octet-stream"

# Longest side of a preview in pixels: twice the width it is shown at, for fine screens.
SIDE: Final = 560
# Larger pictures are not decoded here, only sent; a JPEG is decoded at a fraction of its size.
MOST_PIXELS: Final = 2**25
MOST_PHOTO_PIXELS: Final = 2**27
# Longest side of what is sent in the place of a picture that is too large: more than any model looks at.
SENT_SIDE: Final = 1600
QUALITY: Final = 90


def media_type(data: bytes) -> str:
    """The media type by content, whatever the file is called; `UNKNOWN` for what is no PNG, JPEG or WebP."""
    for kind, signature in _SIGNATURES.items():
        if data.startswith(signature) and (kind != "image/webp" or data[8:12] == b"WEBP"):
            return kind
    return UNKNOWN


def fitting(data: bytes, most_bytes: int, most_pixels: int, most_photo_pixels: int, most_side: int) -> bytes:
    """The picture as it was sent or, where the service would not take it for its size, a smaller one, upright, as JPEG or WebP.

    What cannot be read here stays as it is: the service says why.
    """
    try:
        image = _opened(data)
        allowed = most_photo_pixels if image.format == "JPEG" else most_pixels
        if len(data) <= most_bytes and image.width * image.height <= allowed and max(image.size) <= most_side:
            return data
        side = min(SENT_SIDE, most_side)
        smaller = _shrunk(image, side)
        while smaller is not None:
            sent = _encoded(smaller)
            if len(sent) <= most_bytes or side < SIDE:
                return sent
            side //= 2
            smaller.thumbnail((side, side))
    except Exception:  # as in `preview`
        return data
    return data


def preview(data: bytes) -> bytes | None:
    """A small WebP of the picture, upright as its EXIF says, or None where there is nothing to show."""
    try:
        upright = _shrunk(_opened(data), SIDE)
        if upright is None:
            return None
        file = io.BytesIO()
        upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(file, "WEBP")
    except Exception:  # a broken picture surfaces as OSError, SyntaxError, struct.error, ValueError and others
        return None
    return file.getvalue()


def _opened(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"])


def _shrunk(image: Image.Image, side: int) -> Image.Image | None:
    """The picture upright and at most so large, or None where it is too large to be decoded here."""
    if image.width * image.height > (MOST_PHOTO_PIXELS if image.format == "JPEG" else MOST_PIXELS):
        return None
    image.draft(None, (side, side))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((side, side))
    return upright


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    if image.has_transparency_data:
        image.convert("RGBA").save(file, "WEBP", quality=QUALITY)
    else:
        image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
