"""Removes all metadata from a PNG, JPEG or WebP file without decoding it.

EXIF, ICC profiles, XMP, text, thumbnails, private chunks and anything after the image are removed. The encoded pixels are
copied unchanged.
"""

import re
from collections.abc import Iterator
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8"
# Files with more parts are not supported.
MAX_CHUNKS: Final = 4096
MAX_SEGMENTS: Final = 256

PNG_CHUNKS: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
# Baseline, extended and progressive frames; Huffman and quantisation tables; restart interval.
JPEG_SEGMENTS: Final = frozenset((0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD))
JPEG_DROPPED: Final = frozenset((*range(0xE0, 0xF0), 0xFE))
SCAN: Final = 0xDA
END: Final = 0xD9
# The colours depend on whether there is a JFIF header, and on the colour transform in Adobe's; the rest of them is metadata.
JFIF: Final = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
ADOBE_BYTES: Final = 12
_FILL: Final = re.compile(rb"\xff+")
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
WEBP_CHUNKS: Final = frozenset((b"ALPH", b"VP8 ", b"VP8L"))
WEBP_ANIMATED: Final = frozenset((b"ANIM", b"ANMF"))
WITH_ALPHA: Final = 0x10


def remove_metadata(data: bytes) -> bytes | None:
    """The file without metadata; None where it has another format, is animated, corrupt or not supported."""
    if data.startswith(PNG):
        return _png(data)
    if data.startswith(JPEG):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _png(data: bytes) -> bytes | None:
    pieces, at = [PNG], len(PNG)
    for _ in range(MAX_CHUNKS):
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return None
        if kind in PNG_CHUNKS:
            pieces.append(data[at:end])
        elif not kind[:1].islower():  # a critical chunk, without which the image looks different
            return None
        if kind == b"IEND":
            return b"".join(pieces)
        at = end
    return None


def _jpeg(data: bytes) -> bytes | None:
    pieces, at = [JPEG], len(JPEG)
    for _ in range(MAX_SEGMENTS):
        fill = _FILL.match(data, at)
        if fill is None:
            return None
        at = fill.end()
        kind = data[at] if at < len(data) else 0
        if kind == END:
            return b"".join((*pieces, bytes((0xFF, END))))
        end = at + 1 + int.from_bytes(data[at + 1 : at + 3], "big")
        if end < at + 3 or end > len(data):
            return None
        if kind == SCAN:
            following = _AFTER_SCAN.search(data, end)
            if following is None:
                return None
            end = following.start()
        kept = _segment(kind, data[at + 1 : end])
        if kept is None:
            return None
        pieces.append(kept)
        at = end
    return None


def _segment(kind: int, content: bytes) -> bytes | None:
    """One segment without metadata, empty if it is removed, None if it is not supported; ``content`` begins with its length."""
    if kind in JPEG_SEGMENTS or kind == SCAN:
        return bytes((0xFF, kind)) + content
    if kind == 0xE0 and content[2:7] == b"JFIF\0":
        return JFIF
    if kind == 0xEE and content[2:7] == b"Adobe" and len(content) >= 2 + ADOBE_BYTES:
        return b"\xff\xee" + (2 + ADOBE_BYTES).to_bytes(2, "big") + content[2 : 2 + ADOBE_BYTES]
    return b"" if kind in JPEG_DROPPED else None


def _webp(data: bytes) -> bytes | None:
    header, found = b"", {}
    for kind, chunk in _riff(data):
        if kind == b"VP8X" and len(chunk) == 18 and chunk[8] & WITH_ALPHA:
            header = chunk[:8] + bytes((WITH_ALPHA, 0, 0, 0)) + chunk[12:]
        elif kind in WEBP_ANIMATED or kind in found:
            return None
        elif kind in WEBP_CHUNKS:
            found[kind] = chunk
    pixels = found.keys() - {b"ALPH"}
    if len(pixels) != 1:
        return None
    kind = pixels.pop()
    alpha = header + found[b"ALPH"] if header and kind == b"VP8 " and b"ALPH" in found else b""
    content = b"WEBP" + alpha + found[kind]
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The complete chunks of a RIFF file: the name, and the chunk with its header."""
    at, last = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(MAX_CHUNKS):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length
        if at + 8 > last or end > last:
            return
        yield data[at : at + 4], data[at:end] + b"\0" * (length % 2)
        at = end + length % 2
