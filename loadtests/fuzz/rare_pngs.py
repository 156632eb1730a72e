"""PNGs that any viewer shows: every depth and kind, interlaced, transparent, animated, and with all that may be in one."""

import struct
import zlib
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from loadtests.fuzz.hostile import chunk
from loadtests.fuzz.mutation import PNG
from loadtests.fuzz.sevens import ORIENTATION, SIDE, encoded, profiles, seven

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
# Start, step across and start, step down of the seven passes of an interlaced PNG.
PASSES: Final = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))


def whole_pngs() -> Iterable[tuple[str, bytes]]:
    plain = encoded(seven())
    header, *_, end = chunks(plain)
    pixels = b"".join(content for kind, content in chunks(plain) if kind == b"IDAT")
    for interlaced in (False, True):
        how = "interlaced, " if interlaced else ""
        for depth in (1, 2, 4, 8, 16):
            yield f"{how}grey of {depth} bits", raw_png(levels(depth), GREY, depth, interlaced=interlaced)
        for depth in (8, 16):
            yield f"{how}colour of {depth} bits", raw_png(levels(depth, 3), COLOUR, depth, interlaced=interlaced)
            grey_alpha, colour_alpha = _opaque(levels(depth, 2), depth), _opaque(levels(depth, 4), depth)
            yield f"{how}grey and alpha of {depth} bits", raw_png(grey_alpha, GREY_ALPHA, depth, interlaced=interlaced)
            yield f"{how}colour and alpha of {depth} bits", raw_png(colour_alpha, COLOUR_ALPHA, depth, interlaced=interlaced)
        for depth in (1, 2, 4, 8):
            colours = chunk(b"PLTE", b"\x10\x20\x30" + b"\x99\x88\x77" * (2**depth - 2) + b"\xff\xf0\xee")
            data = raw_png(levels(depth), PALETTE, depth, interlaced=interlaced, before=colours)
            yield f"{how}palette of {depth} bits", data
    for depth in (1, 2, 4, 8, 16):
        clear = chunk(b"tRNS", struct.pack(">H", 2**depth - 1))
        yield f"grey of {depth} bits whose paper is transparent", raw_png(levels(depth), GREY, depth, before=clear)
    for depth in (8, 16):
        clear = chunk(b"tRNS", struct.pack(">HHH", *[2**depth - 1] * 3))
        yield f"colour of {depth} bits whose paper is transparent", raw_png(levels(depth, 3), COLOUR, depth, before=clear)
    colours = chunk(b"PLTE", b"\x10\x20\x30" + b"\x99\x88\x77" * 254 + b"\xff\xf0\xee")
    for name, alpha in {"all of it": bytes([255] * 255 + [0]), "a short list": b"\xff\x80", "an empty list": b""}.items():
        data = raw_png(levels(8), PALETTE, 8, before=colours + chunk(b"tRNS", alpha))
        yield f"palette with transparency, {name}", data
    alone = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    alone.putalpha(seven(paper=0, ink=255))
    yield "white ink on nothing, opacity alone", encoded(alone)
    for name, options in profiles().items():
        yield name, encoded(seven().convert("RGB"), **options)
    for orientation in (1, 3, 0, 9, 65535):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        turned = seven().rotate(180) if orientation == 3 else seven()
        yield f"orientation {orientation}", encoded(turned, exif=exif)
    yield "a broken EXIF", joined([header, (b"eXIf", b"Exif\0\0MM\0*\xff\xff\xff\xff"), (b"IDAT", pixels), end])
    others = [
        *((b"gAMA", b"\0\0\0\0"), (b"cHRM", bytes(32)), (b"sRGB", b"\x09"), (b"pHYs", bytes(9)), (b"bKGD", b"\0\xff")),
        *((b"tIME", b"\xff" * 7), (b"sBIT", b"\x08"), (b"cICP", b"\x09\x10\0\1"), (b"aaAa", bytes(1000)), (b"tEXt", b"")),
    ]
    yield "chunks of every kind", joined([header, *others, (b"IDAT", pixels), (b"tEXt", b"k\0v"), end])
    yield "texts of 500 kB", joined([header, (b"zTXt", b"k\0\0" + zlib.compress(bytes(500_000))), (b"IDAT", pixels), end])
    world = b"k\0\1\0de\0k\0" + zlib.compress("ä".encode() * 100_000)
    yield "a packed text of the world", joined([header, (b"iTXt", world), (b"IDAT", pixels), end])
    yield "texts that cannot be unpacked", joined([header, (b"zTXt", b"k\0\0zlib"), (b"IDAT", pixels), end])
    yield "texts packed in an unknown way", joined([header, (b"iTXt", b"k\0\1\x09\0\0x"), (b"IDAT", pixels), end])
    yield "pixels in pieces of a byte", joined([header, *((b"IDAT", pixels[i : i + 1]) for i in range(len(pixels))), end])
    empty = [(b"IDAT", b"")] * 6000
    yield "6,000 empty pieces of pixels", joined([header, *empty[:3000], (b"IDAT", pixels), *empty[3000:], end])
    yield "a ZIP behind its end", plain + b"PK\x03\x04" + bytes(3000)
    yield "another PNG behind its end", plain + plain
    yield "a page in a text", joined([header, (b"tEXt", b"<html>\0<script>alert(1)</script>"), (b"IDAT", pixels), end])
    frames = [seven(), seven(ink=90), seven(ink=60)]
    yield "animated", encoded(frames[0], save_all=True, append_images=frames[1:], duration=50)
    yield (
        "animated, its first picture not among the frames",
        encoded(frames[0], save_all=True, append_images=frames[1:], default_image=True),
    )
    for count in (0, 1, 2**31 - 1, 2**32 - 1):
        animation = (b"acTL", struct.pack(">II", count, 0))
        yield f"announcing {count} frames", joined([header, animation, (b"IDAT", pixels), end])
    strip = Image.new("L", (4000, SIDE), 255)
    strip.paste(seven(), (2500, 0))
    yield "a long strip", encoded(strip)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG: their kinds and contents."""
    found, at = [], len(PNG)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def joined(parts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks."""
    return PNG + b"".join(chunk(kind, content) for kind, content in parts)


def raw_png(samples: npt.NDArray[np.uint16], kind: int, depth: int, *, interlaced: bool = False, before: bytes = b"") -> bytes:
    """A PNG of ``samples[H,W,C]`` at any depth, which may be interlaced: Pillow writes neither all of these nor those."""
    height, width = samples.shape[:2]
    passes = PASSES if interlaced else ((0, 1, 0, 1),)
    rows = b"".join(_rows(samples[top::down, left::across], depth) for left, across, top, down in passes)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return PNG + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def _rows(samples: npt.NDArray[np.uint16], depth: int) -> bytes:
    """Rows of a pass, each behind a zero for no filter."""
    if not samples.size:
        return b""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in flat)
    bits = np.unpackbits(flat.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth :].reshape(len(flat), -1)
    return b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)


def levels(depth: int, channels: int = 1, ink: int = 0) -> npt.NDArray[np.uint16]:
    """The seven in the levels of a depth; where there is an alpha channel, all is opaque."""
    most = 2**depth - 1
    grey = (np.asarray(seven(ink=ink)) > 127).astype(np.uint16) * most
    return np.repeat(grey[:, :, None], channels, axis=2)


def _opaque(samples: npt.NDArray[np.uint16], depth: int) -> npt.NDArray[np.uint16]:
    samples[:, :, -1] = 2**depth - 1
    return samples
