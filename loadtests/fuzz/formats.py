"""Encodes EXIF, JPEG, WebP, GIF and BMP from their parts: also files that Pillow would not write."""

import struct
from collections.abc import Iterable
from typing import Final

from PIL import Image

from loadtests.images import encode

OS2, WINDOWS = 12, 40  # of a BMP, in bytes
SHORT: Final = 3  # the EXIF type of 16-bit numbers


def exif(entries: Iterable[tuple[int, int, int, bytes]], order: str = ">") -> bytes:
    """Encode EXIF without its prefix: a directory of (tag, type, count, value of 4 bytes), in either byte order."""
    table = [struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in entries]
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return mark + struct.pack(f"{order}IH", 8, len(table)) + b"".join(table) + bytes(4)


def segment(marker: int, content: bytes) -> bytes:
    """Encode a JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(jpeg: bytes, *segments: bytes) -> bytes:
    """Insert segments after the first one of a JPEG, which is JFIF's."""
    at = 4 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:at] + b"".join(segments) + jpeg[at:]


def progressive(image: Image.Image, scans: int) -> bytes:
    """Encode a progressive JPEG and repeat its last scan ``scans`` times."""
    data = encode(image, "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * scans + data[-2:]


def riff_chunk(kind: bytes, data: bytes) -> bytes:
    """Encode a WebP chunk, padded to an even length."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def riff(*chunks: bytes) -> bytes:
    """Encode a WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_start(gif: bytes) -> int:
    """Find the offset of the first block of a GIF, which follows its palette."""
    return 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)


def gif_with(gif: bytes, *blocks: bytes) -> bytes:
    """Insert blocks before the first one of a GIF."""
    at = gif_start(gif)
    return gif[:at] + b"".join(blocks) + gif[at:]


def bmp(
    pixels: bytes, width: int, height: int, bits: int, *, header: int = WINDOWS, compression: int = 0, palette: bytes = b""
) -> bytes:
    """Encode a BMP from its parts; a negative ``height`` stores the rows from the top."""
    if header == OS2:
        head = struct.pack("<IHHHH", header, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(pixels), 2835, 2835, 0, 0)
        head = head.ljust(header, b"\0")
    start = 14 + len(head) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(pixels), 0, start) + head + palette + pixels
