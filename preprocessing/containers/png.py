"""PNG: parses the chunks, of which a decoder needs header, palette, transparency and data."""

import struct
from typing import Final

from preprocessing.containers.exif import UPRIGHT, orientation
from preprocessing.containers.stripped import StrippedImage, corrupt_header
from preprocessing.errors import UndecodableImage

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# libpng writes data in chunks of 8 kB: that is 64 MB.
MAX_CHUNKS: Final = 8192
_FIRST: Final = SIGNATURE + b"\0\0\0\rIHDR"
_FIRST_END: Final = len(_FIRST) + 13 + 4
_NEEDED: Final = frozenset((b"PLTE", b"tRNS", b"IDAT"))
_CHUNK: Final = struct.Struct(">I4s")
_SIZE: Final = struct.Struct(">II")


def matches(data: bytes) -> bool:
    """Whether ``data`` begins like a PNG."""
    return data.startswith(SIGNATURE)


def strip(data: bytes) -> StrippedImage:
    """The PNG without ancillary chunks, and without the frames of an animation but the first.

    Raises:
        UndecodableImage: it does not begin with a header, has two, or more than ``MAX_CHUNKS`` chunks.
    """
    if not data.startswith(_FIRST) or len(data) < _FIRST_END:
        raise corrupt_header("PNG")
    width, height = _SIZE.unpack_from(data, len(_FIRST))
    kept: list[bytes] = []
    turn: int | None = None
    start, at, end, parts = 0, _FIRST_END, len(data), 1
    while at + 8 <= end:
        length, kind = _CHUNK.unpack_from(data, at)
        following = at + 12 + length
        parts += 1
        if kind not in _NEEDED:
            if kind == b"IEND":
                break
            if kind == b"IHDR":
                raise corrupt_header("PNG")
            if kind == b"eXIf" and turn is None:
                turn = orientation(data, at + 8, min(at + 8 + length, end))
            kept.append(data[start:at])
            if not kind.isalnum():  # what follows cannot be parsed
                following = end
            start = following
        if parts > MAX_CHUNKS:
            raise UndecodableImage(f"The PNG has more than {MAX_CHUNKS:,} chunks, as no encoder writes. Save it again.")
        at = following
    if kept:
        kept.append(data[start:])
        data = b"".join(kept)
    return StrippedImage("PNG", data, width, height, turn or UPRIGHT, width * height, parts)
