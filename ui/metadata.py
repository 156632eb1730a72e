"""What lies beside the pixels of a picture: which way up it is, and all else taken out before Pillow sees it.

Pillow reads EXIF data with every tag in it, profiles and texts, of which a small file can hold so many that it takes seconds.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

ORIENTATION: Final = 0x0112
SHORT: Final = 3
# So many tags of the first directory are looked at; they are in order, and the orientation is among the first.
MOST_TAGS: Final = 256
# So many chunks, segments or blocks are gone through; pictures of cameras and drawing programs have a few hundred.
MOST_PARTS: Final = 100_000
UPRIGHT: Final = 1

# Chunks of a PNG that make the picture; animations show their first frame, which needs no other.
PNG_KEPT: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
# Segments of a JPEG: frames and tables, JFIF and Adobe, which say what the colours mean; all other applications' are left out.
JPEG_KEPT: Final = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xE1), 0xEE)) - frozenset(range(0xD0, 0xDA))
JPEG_SINGLE: Final = frozenset(range(0xD0, 0xDA))
JPEG_SKIPPED: Final = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))
START_OF_SCAN: Final = 0xDA


def bare(data: bytes, kind: str) -> tuple[bytes, int]:
    """The picture of a media type without EXIF data, profiles and texts, and its orientation: 1 to 8 as EXIF counts them.

    Raises:
        ValueError, IndexError, struct.error: it is no such picture, or has more parts than are gone through.
    """
    reader = READERS.get(kind)
    return reader(data) if reader else (data, UPRIGHT)


def orientation(exif: bytes) -> int:
    """The orientation in EXIF data: 1 to 8, and 1 where there is none or the data cannot be read."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, directory)
        for place in range(min(count, MOST_TAGS)):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * place)
            if tag == ORIENTATION:
                return value if kind == SHORT and values == 1 and 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def _png(data: bytes) -> tuple[bytes, int]:
    kept, exif = [data[:8]], b""
    for start, name, length in _chunks(data, 8, lambda at: (data[at + 4 : at + 8], struct.unpack_from(">I", data, at)[0]), 12):
        if name in PNG_KEPT:
            kept.append(data[start : start + length])
        elif name == b"eXIf" and not exif:
            exif = data[start + 8 : start + length - 4]
        if name == b"IEND":
            break
    return b"".join(kept), orientation(exif)


def _webp(data: bytes) -> tuple[bytes, int]:
    """Pillow copies what a WebP has beside the pixels, and reads none of it unless asked."""

    def chunk(at: int) -> tuple[bytes, int]:
        name, length = struct.unpack_from("<4sI", data, at)
        return name, length + length % 2

    exif = next((data[start + 8 : start + size] for start, name, size in _chunks(data, 12, chunk, 8) if name == b"EXIF"), b"")
    return data, orientation(exif)


def _chunks(
    data: bytes, start: int, chunk: Callable[[int], tuple[bytes, int]], around: int
) -> Iterator[tuple[int, bytes, int]]:
    """Where every chunk begins, its name, and its size with the `around` bytes that are not counted in its length."""
    for _ in range(MOST_PARTS):
        if start + 8 > len(data):
            return
        name, length = chunk(start)
        yield start, name, length + around
        start += length + around
    raise ValueError("too many chunks")


def _jpeg(data: bytes) -> tuple[bytes, int]:
    kept, exif, at = [data[:2]], b"", 2
    for _ in range(MOST_PARTS):
        at = data.index(b"\xff", at)  # what lies between segments is passed over, as decoders do
        marker = data[at + 1]
        if marker in JPEG_KEPT or marker in JPEG_SKIPPED:
            end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
            if marker == START_OF_SCAN:
                return b"".join((*kept, data[at:])), orientation(exif)
            if marker in JPEG_KEPT:
                kept.append(data[at:end])
            elif marker == 0xE1 and not exif and data.startswith(b"Exif\x00\x00", at + 4):
                exif = data[at + 4 : end]
            at = end
        elif marker in (0x00, 0xFF):
            at += 1
        elif marker in JPEG_SINGLE:
            at += 2
        else:
            raise ValueError(f"no marker of a JPEG: {marker:#04x}")
    raise ValueError("too many segments")


def _gif(data: bytes) -> tuple[bytes, int]:
    """Nothing is taken out; what comes before the first frame is counted."""
    at, blocks = 13 + _colours(data[10]), 0
    while data[at] != 0x2C and blocks < MOST_PARTS:  # an image; before it come extensions, of blocks with a length each
        at += 2
        while data[at] and blocks < MOST_PARTS:
            at += data[at] + 1
            blocks += 1
        at += 1
        blocks += 1
    if blocks >= MOST_PARTS:
        raise ValueError("too many blocks")
    return data, UPRIGHT


def _colours(flags: int) -> int:
    """The bytes of a GIF's table of colours."""
    return 3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0


READERS: Final[dict[str, Callable[[bytes], tuple[bytes, int]]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/gif": _gif,
}
