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
# Larger pictures are not decoded here, only sent.
MOST_PIXELS: Final = 2**25


def media_type(data: bytes) -> str:
    """The media type by content, whatever the file is called; `UNKNOWN` for what is no PNG, JPEG or WebP."""
    for kind, signature in _SIGNATURES.items():
        if data.startswith(signature) and (kind != "image/webp" or data[8:12] == b"WEBP"):
            return kind
    return UNKNOWN


def preview(data: bytes) -> bytes | None:
    """A small WebP of the picture, upright as its EXIF says, or None where there is nothing to show."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"])
        image.draft(None, (SIDE, SIDE))
        if image.width * image.height > MOST_PIXELS:
            return None
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(file, "WEBP")
    except Exception:  # a broken picture surfaces as OSError, SyntaxError, struct.error, ValueError and others
        return None
    return file.getvalue()
