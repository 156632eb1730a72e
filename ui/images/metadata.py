"""Strips metadata from image files and reads the EXIF orientation, without decoding pixels.

Pillow parses all EXIF tags, colour profiles and texts. A small file can hold so many of them that this takes seconds. They are
therefore removed before Pillow opens the file.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

ORIENTATION_TAG: Final = 0x0112
SHORT: Final = 3
# Tags read of the first directory. They are sorted, and the orientation is among the first.
MAX_TAGS: Final = 256
# Chunks, segments or blocks read per file. Cameras and drawing programs write a few hundred.
MAX_PARTS: Final = 100_000
UPRIGHT: Final = 1

# The chunks of a PNG that the pixels need. Of an animation only the first frame is used, which needs no others.
PNG_CHUNKS: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
# The segments of a JPEG that the pixels need: frames, tables, and JFIF and Adobe, which define the colour space.
JPEG_SEGMENTS: Final = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xE1), 0xEE)) - frozenset(range(0xD0, 0xDA))
JPEG_MARKERS_WITHOUT_LENGTH: Final = frozenset(range(0xD0, 0xDA))
JPEG_METADATA_SEGMENTS: Final = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))
START_OF_SCAN: Final = 0xDA


def strip_metadata(data: bytes, kind: str) -> tuple[bytes, int]:
    """Return an image of media type `kind` without EXIF data, profiles and texts, and its EXIF orientation (1 to 8).

    Raises:
        ValueError, IndexError, struct.error: the data is not of that type, or has too many parts.
    """
    reader = READERS.get(kind)
    return reader(data) if reader else (data, UPRIGHT)


def exif_orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, 1 to 8; 1 if there is none or the data is damaged."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, directory)
        for index in range(min(count, MAX_TAGS)):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * index)
            if tag == ORIENTATION_TAG:
                return value if kind == SHORT and values == 1 and 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def _png(data: bytes) -> tuple[bytes, int]:
    parts, exif = [data[:8]], b""
    for start, name, length in _chunks(data, 8, lambda at: (data[at + 4 : at + 8], struct.unpack_from(">I", data, at)[0]), 12):
        if name in PNG_CHUNKS:
            parts.append(data[start : start + length])
        elif name == b"eXIf" and not exif:
            exif = data[start + 8 : start + length - 4]
        if name == b"IEND":
            break
    return b"".join(parts), exif_orientation(exif)


def _webp(data: bytes) -> tuple[bytes, int]:
    """Return WebP data unchanged: Pillow does not parse its metadata."""

    def chunk(at: int) -> tuple[bytes, int]:
        name, length = struct.unpack_from("<4sI", data, at)
        return name, length + length % 2

    exif = next((data[start + 8 : start + size] for start, name, size in _chunks(data, 12, chunk, 8) if name == b"EXIF"), b"")
    return data, exif_orientation(exif)


def _chunks(
    data: bytes, start: int, chunk: Callable[[int], tuple[bytes, int]], overhead: int
) -> Iterator[tuple[int, bytes, int]]:
    """Yield offset, name and size of each chunk; `overhead` bytes of a chunk are not counted in its length field."""
    for _ in range(MAX_PARTS):
        if start + 8 > len(data):
            return
        name, length = chunk(start)
        yield start, name, length + overhead
        start += length + overhead
    raise ValueError("too many chunks")


def _jpeg(data: bytes) -> tuple[bytes, int]:
    parts, exif, at = [data[:2]], b"", 2
    for _ in range(MAX_PARTS):
        at = data.index(b"\xff", at)  # bytes between segments are skipped, as decoders do
        marker = data[at + 1]
        if marker in JPEG_SEGMENTS or marker in JPEG_METADATA_SEGMENTS:
            end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
            if marker == START_OF_SCAN:
                return b"".join((*parts, data[at:])), exif_orientation(exif)
            if marker in JPEG_SEGMENTS:
                parts.append(data[at:end])
            elif marker == 0xE1 and not exif and data.startswith(b"Exif\x00\x00", at + 4):
                exif = data[at + 4 : end]
            at = end
        elif marker in (0x00, 0xFF):
            at += 1
        elif marker in JPEG_MARKERS_WITHOUT_LENGTH:
            at += 2
        else:
            raise ValueError(f"not a JPEG marker: {marker:#04x}")
    raise ValueError("too many segments")


def _gif(data: bytes) -> tuple[bytes, int]:
    """Return GIF data unchanged, after counting the blocks before the first frame."""
    at, blocks = 13 + _colour_table_bytes(data[10]), 0
    while data[at] != 0x2C and blocks < MAX_PARTS:  # an image; extensions made of blocks may come first
        at += 2
        while data[at] and blocks < MAX_PARTS:
            at += data[at] + 1
            blocks += 1
        at += 1
        blocks += 1
    if blocks >= MAX_PARTS:
        raise ValueError("too many blocks")
    return data, UPRIGHT


def _colour_table_bytes(flags: int) -> int:
    """Return the size in bytes of a GIF's colour table."""
    return 3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0


READERS: Final[dict[str, Callable[[bytes], tuple[bytes, int]]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/gif": _gif,
}
