"""Pictures as visitors send them: what kind of file they are, and a small one to look at."""

import io
import warnings
from typing import Final

from PIL import Image

from ui import metadata

# What the service reads, by how the content begins.
_SIGNATURES: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/bmp": (b"BM",),
}
_FORMATS: Final = {kind: kind.removeprefix("image/").upper() for kind in _SIGNATURES}
# As files are called that the service reads.
SUFFIXES: Final = ("png", "jpg", "jpeg", "webp", "bmp", "gif")
UNKNOWN: Final = "application/octet-stream"
# How a picture is turned upright, by its orientation.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Longest side of a preview in pixels: twice the width it is shown at, for fine screens.
SIDE: Final = 560
# Larger pictures are not decoded here, only sent; a JPEG is decoded at a fraction of its size.
MOST_PIXELS: Final = 2**25
MOST_PHOTO_PIXELS: Final = 2**27
# Longest side of what is sent in the place of a picture that is too large: more than any model looks at.
SENT_SIDE: Final = 1600
QUALITY: Final = 90
# Pillow unpacks a compressed BMP in Python: larger ones are only sent.
MOST_COMPRESSED_BMP_BYTES: Final = 2**20
# A progressive JPEG is decoded once for every scan; more pixels times scans than these are only sent.
MOST_SCANNED_PIXELS: Final = 2**29

# Pillow complains of large and odd pictures, as often as visitors like; the limits above are what counts.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def media_type(data: bytes) -> str:
    """The media type by content, whatever the file is called; `UNKNOWN` for what the service does not read."""
    for kind, signatures in _SIGNATURES.items():
        if data.startswith(signatures) and (kind != "image/webp" or data[8:12] == b"WEBP"):
            return kind
    return UNKNOWN


def fitting(data: bytes, most_bytes: int, most_pixels: int, most_photo_pixels: int, most_side: int) -> bytes:
    """The picture as it was sent or, where the service would not take it for its size, a smaller one, upright, as JPEG or WebP.

    What cannot be read here stays as it is: the service says why.
    """
    try:
        image, orientation = _opened(data)
        allowed = most_photo_pixels if image.format == "JPEG" else most_pixels
        if len(data) <= most_bytes and image.width * image.height <= allowed and max(image.size) <= most_side:
            return data
        side = min(SENT_SIDE, most_side)
        smaller = _shrunk(image, orientation, side)
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
        upright = _shrunk(*_opened(data), SIDE)
        if upright is None:
            return None
        file = io.BytesIO()
        upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(file, "WEBP")
    except Exception:  # a broken picture surfaces as OSError, SyntaxError, struct.error, ValueError and others
        return None
    return file.getvalue()


def _opened(data: bytes) -> tuple[Image.Image, int]:
    """The picture, not decoded yet, and its orientation.

    Raises:
        Exception: of many kinds; it is damaged, no picture, or takes too long.
    """
    kind = media_type(data)
    picture, orientation = metadata.bare(data, kind)
    image = Image.open(io.BytesIO(picture), formats=[_FORMATS[kind]])
    if kind == "image/jpeg" and picture.count(b"\xff\xda") * image.width * image.height > MOST_SCANNED_PIXELS:
        raise ValueError("too many scans")
    if kind == "image/bmp" and image.tile[0].codec_name == "bmp_rle" and len(data) > MOST_COMPRESSED_BMP_BYTES:
        raise ValueError("too much to unpack")
    return image, orientation


def _shrunk(image: Image.Image, orientation: int, side: int) -> Image.Image | None:
    """The picture upright and at most so large, or None where it is too large to be decoded here."""
    if image.width * image.height > (MOST_PHOTO_PIXELS if image.format == "JPEG" else MOST_PIXELS):
        return None
    image.draft(None, (side, side))
    image.thumbnail((side, side))
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    if image.has_transparency_data:
        image.convert("RGBA").save(file, "WEBP", quality=QUALITY)
    else:
        image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
