"""WebP: parses the chunks of the RIFF file, of which a decoder needs canvas, opacity and data of the first frame."""

import struct
from typing import Final

from preprocessing.containers.exif import UPRIGHT, orientation
from preprocessing.containers.stripped import StrippedImage, corrupt_header
from preprocessing.containers.vp8l import check_sets
from preprocessing.errors import UndecodableImage

# A frame of an animation is a chunk: that is five minutes.
MAX_CHUNKS: Final = 8192
# Lossless data and opacity may have one set of prefix codes per 16 pixels. A set takes at least 2.5 bytes and ten microseconds,
# as long as a few chunks.
BYTES_PER_PART: Final = 5
_CODED: Final = frozenset((b"VP8L", b"ALPH", b"ANMF"))
_LOSSLESS: Final = 1
_HEAD: Final = 12
_FRAME_HEAD: Final = 16
_NEEDED: Final = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM"))
_PICTURES: Final = frozenset((b"VP8 ", b"VP8L", b"ANMF"))
_CHUNK: Final = struct.Struct("<4sI")


def matches(data: bytes) -> bool:
    """Whether ``data`` begins like a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def strip(data: bytes) -> StrippedImage:
    """The WebP without EXIF, profile and XMP, and without the frames of an animation but the first.

    Raises:
        UndecodableImage: it does not begin with an image or a canvas, or has more than ``MAX_CHUNKS`` chunks.
    """
    width, height = _size(data)
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    kept: list[bytes] = []
    turn: int | None = None
    start, at, parts, coded, seen = _HEAD, _HEAD, 0, 0, False
    while at + 8 <= end:
        kind, length = _CHUNK.unpack_from(data, at)
        following = at + 8 + length + (length & 1)
        parts += 1
        coded += length if kind in _CODED else 0
        if parts > MAX_CHUNKS:
            raise UndecodableImage(f"The WebP has more than {MAX_CHUNKS:,} chunks, as no encoder writes. Save it again.")
        picture = kind in _PICTURES
        if (seen and picture) or not (picture or kind in _NEEDED):
            if kind == b"EXIF" and turn is None:
                turn = orientation(data, at + 8, min(at + 8 + length, end))
            kept.append(data[start:at])
            start = following
        seen |= picture
        at = following
    if kept:
        body = b"".join((*kept, data[start:end]))
        data = b"".join((b"RIFF", struct.pack("<I", len(body) + 4), b"WEBP", body))
    return StrippedImage("WEBP", data, width, height, turn or UPRIGHT, width * height, parts + coded // BYTES_PER_PART)


def check_codes(data: bytes, width: int, height: int, at: int = _HEAD) -> None:
    """Reject an image with more sets of prefix codes than any encoder writes; its chunks begin at ``at``.

    Raises:
        UndecodableImage: as ``check_sets``.
    """
    while at + 8 <= len(data):
        kind, length = _CHUNK.unpack_from(data, at)
        content = data[at + 8 : at + 8 + length]
        if kind == b"VP8L":
            check_sets(content, width, height, header=True)
        elif kind == b"ALPH" and content and content[0] & 3 == _LOSSLESS:
            check_sets(content[1:], width, height, header=False)
        elif kind == b"ANMF":
            across, down = (1 + int.from_bytes(content[offset : offset + 3], "little") for offset in (6, 9))
            check_codes(content, across, down, _FRAME_HEAD)
        at += 8 + length + (length & 1)


def _size(data: bytes) -> tuple[int, int]:
    """Width and height of the canvas, from the first chunk."""
    kind, head = data[12:16], data[20:30]
    if kind == b"VP8X" and len(head) == 10:
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == 10:
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    if kind == b"VP8L" and head[:1] == b"\x2f" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise corrupt_header("WebP")
