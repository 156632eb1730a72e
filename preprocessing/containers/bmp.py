"""BMP: a header in one of seven lengths, of Windows or OS/2."""

import struct
from typing import Final

from preprocessing.containers.exif import UPRIGHT
from preprocessing.containers.stripped import Stripped, corrupt

MAX_COLOURS: Final = 256
# Pillow decodes runs in Python: a byte of them takes as long as eight pixels, and a pixel they fill as long as four.
WORK_A_BYTE: Final = 8
WORK_A_PIXEL: Final = 4
_HEADERS: Final = frozenset((12, 40, 52, 56, 64, 108, 124))
_OLD: Final = 12
_RUNS: Final = frozenset((1, 2))
_OLD_SIZE: Final = struct.Struct("<HHHH")
_SIZE: Final = struct.Struct("<iiHHI12xI")
_START: Final = 18


def matches(data: bytes) -> bool:
    """Whether ``data`` begins as a BMP does: two letters, and a header of a length that there is."""
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _HEADERS and len(data) >= _START


def strip(data: bytes) -> Stripped:
    """The BMP as it is, for it holds no metadata that is looked at.

    Raises:
        UndecodableImage: the header is truncated, or has more than ``MAX_COLOURS`` colours.
    """
    old = data[14] == _OLD
    if len(data) < _START + (_OLD_SIZE.size if old else _SIZE.size):
        raise corrupt("BMP")
    compression = colours = 0
    if old:
        width, height, _, bits = _OLD_SIZE.unpack_from(data, _START)
    else:
        width, height, _, bits, compression, colours = _SIZE.unpack_from(data, _START)
    if width < 0 or (bits <= 8 and colours > MAX_COLOURS):
        raise corrupt("BMP")
    height = abs(height)
    work, parts = width * height, 1
    if compression in _RUNS:
        work, parts = WORK_A_PIXEL * work + WORK_A_BYTE * len(data), len(data) // 2
    return Stripped("BMP", data, width, height, UPRIGHT, work, parts)
