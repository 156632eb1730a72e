"""Encodes PNGs from their chunks or samples: also those that Pillow would not write."""

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


def png_with(png: bytes, ahead: Iterable[bytes] = (), behind: Iterable[bytes] = ()) -> bytes:
    """Insert encoded chunks after the header of a PNG and before its end."""
    return png[:33] + b"".join(ahead) + png[33:-12] + b"".join(behind) + png[-12:]


def png_of_size(
    width: int, height: int, *, kind: int = GREY, depth: int = 8, interlaced: bool = False, pixels: bytes | None = None
) -> bytes:
    """Encode a PNG that announces a size; ``pixels`` (filter bytes and rows) are black, of 8 bits a channel, by default."""
    rows = bytes((width * CHANNELS[kind] + 1) * height) if pixels is None else pixels
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return join_chunks([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def png_of_samples(samples: Samples, kind: int, depth: int, *, interlaced: bool = False) -> bytes:
    """Encode ``samples[H,W,C]`` as PNG of any bit depth, interlaced or not: Pillow does not write all of these."""
    height, width = samples.shape[:2]
    passes = PASSES if interlaced else ((0, 1, 0, 1),)
    parts = (samples[top::down, left::across] for left, across, top, down in passes)
    rows = (row for part in parts if part.size for row in pack_rows(part.reshape(len(part), -1), depth))
    pixels = b"".join(b"\0" + row for row in rows)  # a zero stands for no filter
    return png_of_size(width, height, kind=kind, depth=depth, interlaced=interlaced, pixels=pixels)


def pack_rows(samples: npt.NDArray[np.unsignedinteger], depth: int) -> list[bytes]:
    """Pack every row of ``samples[H,N]`` at a bit depth, the first sample in the highest bits."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    bits = np.unpackbits(samples.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth :]
    return [row.tobytes() for row in np.packbits(bits.reshape(len(samples), -1), axis=1)]


def seven_samples(depth: int, channels: int = 1) -> Samples:
    """The image ``seven()`` as uint16[H,W,C] samples of a bit depth; 2 and 4 channels have an opaque alpha channel."""
    grey = (np.asarray(seven()) > 127).astype(np.uint16) * (2**depth - 1)
    samples = np.repeat(grey[:, :, None], channels, axis=2)
    if channels in (2, 4):
        samples[:, :, -1] = 2**depth - 1
    return samples
