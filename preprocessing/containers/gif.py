"""GIF: blocks ahead of the first picture, of which it needs the one that says what is transparent."""

import struct
from typing import Final

from preprocessing.containers.exif import UPRIGHT
from preprocessing.containers.stripped import Stripped, corrupt
from preprocessing.errors import UndecodableImage

# Pieces of extensions ahead of the first picture: a text of 1 MB has as many.
MAX_PIECES: Final = 4096
IMAGE, EXTENSION, TRAILER, CONTROL = 0x2C, 0x21, 0x3B, 0xF9
CONTROL_BYTES: Final = 4
_SCREEN: Final = struct.Struct("<HHB")
_FRAME: Final = struct.Struct("<HHHH")
_SCREEN_END: Final = 13


def matches(data: bytes) -> bool:
    """Whether ``data`` begins as a GIF does."""
    return data.startswith((b"GIF87a", b"GIF89a"))


def strip(data: bytes) -> Stripped:
    """The GIF without comments and the like ahead of its first picture; what is behind that is not looked at.

    Raises:
        UndecodableImage: there is no picture, or more than ``MAX_PIECES`` pieces of extensions are ahead of it.
    """
    if len(data) < _SCREEN_END:
        raise corrupt("GIF")
    width, height, flags = _SCREEN.unpack_from(data, 6)
    first = at = _SCREEN_END + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    end, parts, control = len(data), 1, b""
    while at + 10 <= end and data[at] != IMAGE:
        if data[at] == TRAILER:
            raise corrupt("GIF")
        if data[at] == EXTENSION:
            following, pieces = _end_of_extension(data, at + 2)
            if data[at + 1] == CONTROL and data[at + 2] >= CONTROL_BYTES:
                control = data[at:following]
        else:  # bytes between blocks are passed over, as Pillow does
            following, pieces = at + 1, 1
        at, parts = following, parts + pieces
        if parts > MAX_PIECES:
            raise UndecodableImage(f"The GIF has more than {MAX_PIECES:,} pieces ahead of its picture. Save it again.")
    if at + 10 > end:
        raise corrupt("GIF")
    left, top, across, down = _FRAME.unpack_from(data, at + 1)
    if not across or not down:
        raise corrupt("GIF")
    width, height = max(width, left + across), max(height, top + down)
    if first + len(control) != at:
        data = b"".join((data[:first], control, data[at:]))
    return Stripped("GIF", data, width, height, UPRIGHT, width * height, parts)


def _end_of_extension(data: bytes, at: int) -> tuple[int, int]:
    """Where the pieces of an extension end that begin at ``at``, and how many there are."""
    pieces, end = 1, len(data)
    while at < end and data[at] and pieces <= MAX_PIECES:
        at += 1 + data[at]
        pieces += 1
    return at + 1, pieces
