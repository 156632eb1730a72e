"""BMP: parses the header, which has one of seven lengths (Windows or OS/2)."""

import struct
from typing import Final

from preprocessing.containers.exif import UPRIGHT
from preprocessing.containers.stripped import StrippedImage, corrupt_header

MAX_COLOURS: Final = 256
# Pillow decodes run-length encoding in Python: a byte of it takes as long as eight pixels, a pixel it fills as long as four.
WORK_PER_BYTE: Final = 8
WORK_PER_PIXEL: Final = 4
_HEADERS: Final = frozenset((12, 40, 52, 56, 64, 108, 124))
_OLD: Final = 12
_RUNS: Final = frozenset((1, 2))
_OLD_SIZE: Final = struct.Struct("<HHHH")
_SIZE: Final = struct.Struct("<iiHHI12xI")
_START: Final = 18


def matches(data: bytes) -> bool:
    """Whether ``data`` begins like a BMP: two letters, and a valid length of the header."""
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _HEADERS and len(data) >= _START


def strip(data: bytes) -> StrippedImage:
    """The BMP unchanged: it has no metadata that a decoder reads.

    Raises:
        UndecodableImage: the header is truncated, or has more than ``MAX_COLOURS`` colours.
    """
    old = data[14] == _OLD
    if len(data) < _START + (_OLD_SIZE.size if old else _SIZE.size):
        raise corrupt_header("BMP")
    compression = colours = 0
    if old:
        width, height, _, bits = _OLD_SIZE.unpack_from(data, _START)
    else:
        width, height, _, bits, compression, colours = _SIZE.unpack_from(data, _START)
    if width < 0 or (bits <= 8 and colours > MAX_COLOURS):
        raise corrupt_header("BMP")
    height = abs(height)
    work, parts = width * height, 1
    if compression in _RUNS:
        work, parts = WORK_PER_PIXEL * work + WORK_PER_BYTE * len(data), len(data) // 2
    return StrippedImage("BMP", data, width, height, UPRIGHT, work, parts)
