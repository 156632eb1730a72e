"""Parses image files in bounded time, without decoding: format, size and orientation, and removes their metadata.

Pillow parses everything in a file: 65,535 EXIF tags take it seconds, a megabyte of colour profiles or fill bytes one second.
Each module here parses one format and removes what no pixel depends on.
"""

from collections.abc import Callable
from typing import Final

from preprocessing.containers import bmp, gif, jpeg, png, webp
from preprocessing.containers.stripped import StrippedImage
from preprocessing.containers.unsupported import describe_unsupported
from preprocessing.errors import UnsupportedImage

__all__ = ["FORMATS", "StrippedImage", "strip_metadata"]

_PARSERS: Final[dict[str, tuple[Callable[[bytes], bool], Callable[[bytes], StrippedImage]]]] = {
    "PNG": (png.matches, png.strip),
    "JPEG": (jpeg.matches, jpeg.strip),
    "WEBP": (webp.matches, webp.strip),
    "BMP": (bmp.matches, bmp.strip),
    "GIF": (gif.matches, gif.strip),
}
FORMATS: Final = tuple(_PARSERS)


def strip_metadata(data: bytes | memoryview) -> StrippedImage:
    """Parse an image file: its size and orientation, and its bytes without EXIF, colour profiles, texts and later frames.

    The format is detected from the content, never from a file name or header field. The time is bounded for any content. The
    data is not copied where there is nothing to remove.

    Raises:
        UnsupportedImage: none of ``FORMATS``; the message has the type that was detected.
        UndecodableImage: the file is truncated or corrupt, or has more parts than any encoder writes.
    """
    if not isinstance(data, bytes):
        data = bytes(data)
    for matches, strip in _PARSERS.values():
        if matches(data):
            return strip(data)
    raise UnsupportedImage(describe_unsupported(data))
