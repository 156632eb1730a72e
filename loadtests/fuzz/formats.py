"""Builds PNG chunks and files, and JPEG segments, from bytes that Pillow would not write."""

import struct
import zlib
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from loadtests.images import seven

PNG: Final = b"\x89PNG\r\n\x1a\n"
# PNG colour types.
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS: Final = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
# Start, step across and start, step down of the seven passes of an interlaced PNG.
PASSES: Final = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))

Samples = npt.NDArray[np.uint16]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """Encode a PNG chunk with the correct checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def split_chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Split a PNG into its chunks: their types and contents."""
    found, at = [], len(PNG)
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def join_chunks(parts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Encode a PNG of these chunks."""
    return PNG + b"".join(chunk(kind, content) for kind, content in parts)


def png_of_size(width: int, height: int, *, kind: int = GREY, pixels: bytes | None = None, before: bytes = b"") -> bytes:
    """Encode a PNG of 8 bits a channel that announces a size; ``pixels`` (filter bytes and rows) are black by default.

    ``before`` is what comes between the header and the pixels.
    """
    rows = bytes((width * CHANNELS[kind] + 1) * height) if pixels is None else pixels
    return _png(width, height, kind, 8, rows, before)


def png_of_samples(samples: Samples, kind: int, depth: int, *, interlaced: bool = False, before: bytes = b"") -> bytes:
    """Encode ``samples[H,W,C]`` as PNG of any bit depth, interlaced or not: Pillow does not write all of these."""
    height, width = samples.shape[:2]
    passes = PASSES if interlaced else ((0, 1, 0, 1),)
    rows = b"".join(_rows(samples[top::down, left::across], depth) for left, across, top, down in passes)
    return _png(width, height, kind, depth, rows, before, interlaced)


def seven_samples(depth: int, channels: int = 1) -> Samples:
    """The image ``seven()`` as uint16[H,W,C] samples of a bit depth; 2 and 4 channels have an opaque alpha channel."""
    grey = (np.asarray(seven()) > 127).astype(np.uint16) * (2**depth - 1)
    samples = np.repeat(grey[:, :, None], channels, axis=2)
    if channels in (2, 4):
        samples[:, :, -1] = 2**depth - 1
    return samples


def segment(marker: int, content: bytes) -> bytes:
    """Encode a JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _png(width: int, height: int, kind: int, depth: int, rows: bytes, before: bytes, interlaced: bool = False) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return PNG + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def _rows(samples: Samples, depth: int) -> bytes:
    """Encode the rows of a pass, each after a zero for no filter."""
    if not samples.size:
        return b""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in flat)
    bits = np.unpackbits(flat.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth :].reshape(len(flat), -1)
    return b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)
