"""Valid BMPs and GIFs of every kind: bit depths, headers, order of rows, run lengths, and animations."""

import struct
from collections.abc import Iterable
from itertools import groupby, product
from typing import Any, Final

import numpy as np

from loadtests.fuzz.formats import OS2, WINDOWS, bmp, gif_start, gif_with
from loadtests.fuzz.png import pack_rows
from loadtests.fuzz.rare_metadata import ZIP
from loadtests.images import SIDE, encode, seven

HEADERS: Final = (OS2, WINDOWS, 64, 108, 124)
RAW, RLE8, RLE4, BITFIELDS = 0, 1, 2, 3
# Ink and background by bit depth: colours of the palette, or of the pixels themselves.
COLOURS: Final = (b"\x30\x10\x10", b"\xf8\xf0\xf0")
PIXELS: Final = {16: (b"\0\0", b"\xff\x7f"), 24: COLOURS, 32: tuple(colour + b"\0" for colour in COLOURS)}
BLOCKS: Final = {
    "unknown extensions": b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0" + b"\x21\x77\x04abcd\x02xy\0" * 50,
    "bytes between its blocks": bytes(100),
}
# Width and height of the screen, and left and top of the frame.
SCREENS: Final = {
    "a first frame that covers part of its screen": (SIDE + 60, SIDE + 40, 30, 20),
    "a first frame that is larger than its screen": (1, 1, 0, 0),
    "a screen without a size": (0, 0, 0, 0),
}


def valid_bmps() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as BMP in many ways; yields descriptions and files."""
    for header, bits in product(HEADERS, (1, 4, 8, 24)):
        yield f"{bits} bits, a header of {header} bytes", bmp_of_rows(_rows(bits), bits, header=header)
    for bits in (1, 8, 24):
        yield f"{bits} bits, from its top", bmp_of_rows(_rows(bits)[::-1], bits, height=-SIDE)
    for bits, masks in ((16, (0xF800, 0x07E0, 0x001F)), (32, (0xFF0000, 0xFF00, 0xFF))):
        yield f"{bits} bits", bmp_of_rows(_rows(bits), bits)
        data = bmp_of_rows(_rows(bits), bits, compression=BITFIELDS, palette=struct.pack("<III", *masks))
        yield f"{bits} bits by masks", data
    yield "two colours that are no grey", bmp_of_rows(_rows(8), 8, palette=b"\x20\x60\xa0\0\xff\xff\xe0\0")
    rows = _rows(8)
    yield "runs of 8 bits", bmp_of_rows([_runs(row) for row in rows], 8, compression=RLE8)
    yield "runs of 4 bits", bmp_of_rows([_runs(row, 17) for row in rows], 4, compression=RLE4)
    plain = [bytes((0, SIDE)) + row + b"\0\0" for row in rows]
    yield "runs of 8 bits without any", bmp_of_rows(plain, 8, compression=RLE8)
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"of Pillow's, {mode}", encode(seven().convert("RGB").convert(mode), "BMP")
    yield "something after its end", bmp_of_rows(_rows(24), 24) + ZIP


def valid_gifs() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as GIF in many ways; yields descriptions and files."""
    grey = seven()
    palette = grey.convert("RGB").quantize(8)
    levels = np.asarray(palette.getpalette(), dtype=int).reshape(-1, 3)
    background = int(np.abs(levels - 255).sum(axis=1).argmin())
    animated: dict[str, Any] = {"save_all": True, "append_images": [grey.rotate(9), grey.rotate(20)]}
    plain = encode(grey, "GIF", interlace=0)
    yield "grey", plain
    yield "interlaced", encode(grey, "GIF", interlace=1)
    yield "of 87a", b"GIF87a" + plain[6:]
    yield "palette", encode(palette, "GIF")
    yield "with a transparent colour", encode(palette.copy(), "GIF", transparency=background)
    yield "animated", encode(grey, "GIF", duration=40, loop=0, **animated)
    for disposal in (1, 2, 3):
        data = encode(palette, "GIF", save_all=True, append_images=[palette.rotate(9)], disposal=disposal)
        yield f"animated, disposal {disposal}", data
    yield "comments", encode(grey, "GIF", comment=b"<script>alert(1)</script>" * 1000)
    frame = gif_start(plain)
    for name, (width, height, left, top) in SCREENS.items():
        screen, position = struct.pack("<HH", width, height), struct.pack("<HH", left, top)
        yield name, plain[:6] + screen + plain[10 : frame + 1] + position + plain[frame + 5 :]
    for name, blocks in BLOCKS.items():
        yield name, gif_with(plain, blocks)
    yield "something after its end", plain + ZIP
    yield "without an end", plain[:-1]


def bmp_of_rows(
    rows: list[bytes], bits: int, *, header: int = WINDOWS, height: int = SIDE, compression: int = RAW, palette: bytes = b""
) -> bytes:
    """Encode a BMP of ``SIDE`` pixels a row; ``palette`` has ink and background by default."""
    runs, padding = compression in (RLE8, RLE4), b"" if header == OS2 else b"\0"
    body = b"".join(rows) + b"\0\1" if runs else b"".join(row.ljust(-(-len(row) // 4) * 4, b"\0") for row in rows)
    colours = b"".join(colour + padding for colour in COLOURS)
    table = (palette or colours).ljust((3 + len(padding)) << bits, b"\0") if bits <= 8 else palette
    return bmp(body, SIDE, height, bits, header=header, compression=compression, palette=table)


def _rows(bits: int) -> list[bytes]:
    """Pack the rows of ``seven()`` at a bit depth, bottom row first; up to 8 bits, 1 stands for background and 0 for ink."""
    flags = (np.asarray(seven()) > 127).astype(np.uint8)[::-1]
    if bits <= 8:
        return pack_rows(flags, bits)
    return [b"".join(PIXELS[bits][flag] for flag in row) for row in flags]


def _runs(row: bytes, times: int = 1) -> bytes:
    """Encode a row as runs: a number of pixels and their value, and the end of the row."""
    return b"".join(bytes((len(list(run)), value * times)) for value, run in groupby(row)) + b"\0\0"
