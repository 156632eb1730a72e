"""Valid BMPs and GIFs of every kind: bit depths, headers, order of rows, run lengths, and animations."""

import struct
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from loadtests.images import SIDE, encode, seven

OS2, WINDOWS, OS2_2, V4, V5 = 12, 40, 64, 108, 124
RAW, RLE8, RLE4, BITFIELDS = 0, 1, 2, 3
BACKGROUND, INK = b"\xf8\xf0\xf0", b"\x30\x10\x10"
SCREEN: Final = 13
IMAGE: Final = 0x2C


def valid_bmps() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as BMP in many ways; yields descriptions and files."""
    for header in (OS2, WINDOWS, OS2_2, V4, V5):
        for bits in (1, 4, 8, 24):
            yield f"{bits} bits, a header of {header} bytes", bmp(_rows(bits), bits, header=header)
    for bits in (1, 8, 24):
        yield f"{bits} bits, from its top", bmp(_rows(bits)[::-1], bits, top_down=True)
    yield "16 bits", bmp(_rows(16), 16)
    yield "32 bits", bmp(_rows(32), 32)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    yield "16 bits, five, six and five", bmp(_rows(16), 16, compression=BITFIELDS, behind=masks)
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    yield "32 bits by masks", bmp(_rows(32), 32, compression=BITFIELDS, behind=masks)
    yield "two colours that are no grey", bmp(_rows(8), 8, palette=[b"\x20\x60\xa0", b"\xff\xff\xe0"])
    yield "runs of 8 bits", bmp([b"".join(_runs(row)) + b"\0\0" for row in _flags()], 8, compression=RLE8)
    yield "runs of 4 bits", bmp([b"".join(_runs(row, 17)) + b"\0\0" for row in _flags()], 4, compression=RLE4)
    plain = [b"\0" + bytes((SIDE,)) + row.tobytes() + b"\0\0" for row in _flags()]
    yield "runs of 8 bits without any", bmp(plain, 8, compression=RLE8)
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"of Pillow's, {mode}", encode(seven().convert("RGB").convert(mode), "BMP")
    yield "something after its end", bmp(_rows(24), 24) + b"PK\x03\x04" + bytes(3000)


def valid_gifs() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as GIF in many ways; yields descriptions and files."""
    grey = seven()
    palette = grey.convert("RGB").quantize(8)
    plain = encode(grey, "GIF", interlace=0)
    yield "grey", plain
    yield "interlaced", encode(grey, "GIF", interlace=1)
    yield "of 87a", b"GIF87a" + plain[6:]
    yield "palette", encode(palette, "GIF")
    yield "with a transparent colour", encode(palette.copy(), "GIF", transparency=_colour(palette, 255))
    others = [grey.rotate(9), grey.rotate(20)]
    yield "animated", encode(grey, "GIF", save_all=True, append_images=others, duration=40, loop=0)
    for disposal in (1, 2, 3):
        data = encode(palette, "GIF", save_all=True, append_images=[palette.rotate(9)], disposal=disposal)
        yield f"animated, disposal {disposal}", data
    yield "a first frame that covers part of its screen", _on_screen(plain, SIDE + 60, SIDE + 40, 30, 20)
    yield "a first frame that is larger than its screen", _on_screen(plain, 1, 1, 0, 0)
    yield "a screen without a size", _on_screen(plain, 0, 0, 0, 0)
    yield "comments", encode(grey, "GIF", comment=b"<script>alert(1)</script>" * 1000)
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    yield "unknown extensions", _extended(plain, loop + b"\x21\x77\x04abcd\x02xy\0" * 50)
    yield "bytes between its blocks", _extended(plain, bytes(100))
    yield "something after its end", plain + b"PK\x03\x04" + bytes(3000)
    yield "without an end", plain[:-1]


def bmp(
    rows: list[bytes],
    bits: int,
    *,
    header: int = WINDOWS,
    compression: int = RAW,
    top_down: bool = False,
    behind: bytes = b"",
    palette: list[bytes] | None = None,
) -> bytes:
    """Encode a BMP of ``SIDE`` x ``SIDE`` pixels from its rows, bottom row first unless ``top_down``."""
    padding = b"" if header == OS2 else b"\0"
    colours = [INK, BACKGROUND] if palette is None else palette
    table = b"".join(colour + padding for colour in colours).ljust((3 + len(padding)) << bits, b"\0") if bits <= 8 else b""
    body = b"".join(row if compression in (RLE8, RLE4) else row.ljust(-(-len(row) // 4) * 4, b"\0") for row in rows)
    if compression in (RLE8, RLE4):
        body += b"\0\1"
    if header == OS2:
        head = struct.pack("<IHHHH", header, SIDE, SIDE, 1, bits)
    else:
        height = -SIDE if top_down else SIDE
        head = struct.pack("<IiiHHIIiiII", header, SIDE, height, 1, bits, compression, len(body), 2835, 2835, 0, 0)
        head = head.ljust(header, b"\0")
    start = 14 + len(head) + len(behind) + len(table)
    return struct.pack("<2sIII", b"BM", start + len(body), 0, start) + head + behind + table + body


def _flags() -> npt.NDArray[np.uint8]:
    """The image ``seven()`` as uint8[H,W], 1 for background and 0 for ink, bottom row first."""
    return (np.asarray(seven()) > 127).astype(np.uint8)[::-1]


def _rows(bits: int) -> list[bytes]:
    """Pack the rows of ``seven()`` at a bit depth, bottom row first."""
    flags = _flags()
    if bits == 1:
        return [np.packbits(row).tobytes() for row in flags]
    if bits == 4:
        return [(row[::2] << 4 | row[1::2]).tobytes() for row in flags]
    if bits == 8:
        return [row.tobytes() for row in flags]
    background, ink = {16: (b"\xff\x7f", b"\0\0"), 24: (BACKGROUND, INK), 32: (BACKGROUND + b"\0", INK + b"\0")}[bits]
    return [b"".join(background if level else ink for level in row) for row in flags]


def _runs(row: npt.NDArray[np.uint8], times: int = 1) -> Iterable[bytes]:
    """Encode a row as runs: a number of pixels and their value."""
    edges = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    for start, end in pairwise(edges):
        yield bytes((end - start, int(row[start]) * times))


def _colour(image: Image.Image, level: int) -> int:
    """Find the palette index of the colour nearest to a grey level."""
    palette = np.asarray(image.getpalette(), dtype=int).reshape(-1, 3)
    return int(np.abs(palette - level).sum(axis=1).argmin())


def _on_screen(gif: bytes, width: int, height: int, left: int, top: int) -> bytes:
    """Move the only frame of a GIF, and change the size of its screen."""
    at = _first_frame(gif)
    return gif[:6] + struct.pack("<HH", width, height) + gif[10 : at + 1] + struct.pack("<HH", left, top) + gif[at + 5 :]


def _extended(gif: bytes, blocks: bytes) -> bytes:
    """Insert blocks before the first frame of a GIF."""
    at = _first_frame(gif)
    return gif[:at] + blocks + gif[at:]


def _first_frame(gif: bytes) -> int:
    """Find the offset of the first frame in a GIF without extensions."""
    at = SCREEN + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    assert gif[at] == IMAGE
    return at
