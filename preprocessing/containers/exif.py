"""Reads the orientation from EXIF, and nothing else."""

import struct
from typing import Final

UPRIGHT: Final = 1
PREFIX: Final = b"Exif\0\0"
TAG: Final = 0x0112
# Entries of the first directory that are read at most. They are sorted by tag, and cameras write about ten before it.
MAX_ENTRIES: Final = 128
ENTRY_BYTES: Final = 12
# Formats by the type of a value: BYTE, SHORT, LONG and the signed ones.
_VALUES: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}


def orientation(data: bytes, start: int, end: int) -> int:
    """The orientation, 1 to 8, in the EXIF at ``data[start:end]``; 1 where there is none or it cannot be read.

    Reads at most ``MAX_ENTRIES`` entries of the first directory, and follows no other.
    """
    if data.startswith(PREFIX, start, end):
        start += len(PREFIX)
    head = data[start : min(end, start + 8)]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return UPRIGHT
    at = start + struct.unpack(f"{order}I", head[4:])[0]
    if at + 2 > end:
        return UPRIGHT
    count = min(struct.unpack_from(f"{order}H", data, at)[0], MAX_ENTRIES, (end - at - 2) // ENTRY_BYTES)
    entries = data[at + 2 : at + 2 + count * ENTRY_BYTES]
    for tag, kind, values, value in struct.iter_unpack(f"{order}HHI4s", entries):
        if tag == TAG and values == 1 and kind in _VALUES:
            (found,) = struct.unpack_from(order + _VALUES[kind], value)
            return found if 1 <= found <= 8 else UPRIGHT
    return UPRIGHT
