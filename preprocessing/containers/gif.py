"""GIF: parses the blocks before the first frame, of which a decoder needs the one with the transparent colour."""

import struct
from typing import Final

from preprocessing.containers.exif import UPRIGHT
from preprocessing.containers.stripped import StrippedImage, corrupt_header
from preprocessing.errors import UndecodableImage

# Sub-blocks of extensions before the first frame: a text of 1 MB has as many.
MAX_SUB_BLOCKS: Final = 4096
IMAGE, EXTENSION, TRAILER, CONTROL = 0x2C, 0x21, 0x3B, 0xF9
CONTROL_BYTES: Final = 4
_SCREEN: Final = struct.Struct("<HHB")
_FRAME: Final = struct.Struct("<HHHH")
_SCREEN_END: Final = 13


def matches(data: bytes) -> bool:
    """Whether ``data`` begins like a GIF."""
    return data.startswith((b"GIF87a", b"GIF89a"))


def strip(data: bytes) -> StrippedImage:
    """The GIF without comments and other extensions before its first frame; what follows the frame is not parsed.

    Raises:
        UndecodableImage: there is no frame, or more than ``MAX_SUB_BLOCKS`` sub-blocks of extensions before it.
    """
    if len(data) < _SCREEN_END:
        raise corrupt_header("GIF")
    width, height, flags = _SCREEN.unpack_from(data, 6)
    first = at = _SCREEN_END + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    end, parts, control = len(data), 1, b""
    while at + 10 <= end and data[at] != IMAGE:
        if data[at] == TRAILER:
            raise corrupt_header("GIF")
        if data[at] == EXTENSION:
            following, blocks = _end_of_extension(data, at + 2)
            if data[at + 1] == CONTROL and data[at + 2] >= CONTROL_BYTES:
                control = data[at:following]
        else:  # bytes between blocks are skipped, as Pillow does
            following, blocks = at + 1, 1
        at, parts = following, parts + blocks
        if parts > MAX_SUB_BLOCKS:
            raise UndecodableImage(f"The GIF has more than {MAX_SUB_BLOCKS:,} blocks before its picture. Save it again.")
    if at + 10 > end:
        raise corrupt_header("GIF")
    left, top, across, down = _FRAME.unpack_from(data, at + 1)
    if not across or not down:
        raise corrupt_header("GIF")
    width, height = max(width, left + across), max(height, top + down)
    if first + len(control) != at:
        data = b"".join((data[:first], control, data[at:]))
    return StrippedImage("GIF", data, width, height, UPRIGHT, width * height, parts)


def _end_of_extension(data: bytes, at: int) -> tuple[int, int]:
    """The end of the sub-blocks that begin at ``at``, and how many there are."""
    blocks, end = 1, len(data)
    while at < end and data[at] and blocks <= MAX_SUB_BLOCKS:
        at += 1 + data[at]
        blocks += 1
    return at + 1, blocks
