"""Image files as containers: what they say of their picture, without decoding it, and what of them a decoder needs.

Pillow parses all that an image file holds: a directory of 65,535 EXIF tags takes it seconds, a megabyte of colour profiles or
of fill bytes one. Each module here walks one format in bounded time and leaves out what no pixel depends on.
"""

from collections.abc import Callable
from typing import Final

from preprocessing.containers import bmp, gif, jpeg, png, webp
from preprocessing.containers.stripped import Stripped
from preprocessing.containers.unsupported import explain
from preprocessing.errors import UnsupportedImage

__all__ = ["FORMATS", "Stripped", "strip_metadata"]

_WALKS: Final[dict[str, tuple[Callable[[bytes], bool], Callable[[bytes], Stripped]]]] = {
    "PNG": (png.matches, png.strip),
    "JPEG": (jpeg.matches, jpeg.strip),
    "WEBP": (webp.matches, webp.strip),
    "BMP": (bmp.matches, bmp.strip),
    "GIF": (gif.matches, gif.strip),
}
FORMATS: Final = tuple(_WALKS)


def strip_metadata(data: bytes | memoryview) -> Stripped:
    """Walk an image file, find its size and orientation, and leave out EXIF, colour profiles, texts and further frames.

    The format is taken from the content, never from a name or a header. The time is bounded, whatever the file holds, and the
    data is not copied where there is nothing to leave out.

    Raises:
        UnsupportedImage: none of ``FORMATS``; the text names what it is.
        UndecodableImage: the container is truncated or corrupt, or has more parts than any program writes.
    """
    if not isinstance(data, bytes):
        data = bytes(data)
    for matches, strip in _WALKS.values():
        if matches(data):
            return strip(data)
    raise UnsupportedImage(explain(data))
