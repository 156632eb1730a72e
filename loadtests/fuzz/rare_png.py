"""Valid PNGs of every kind: bit depths, colour types, interlaced, transparent, animated, with all that a file may contain."""

import struct
import zlib
from collections.abc import Iterable
from itertools import product, starmap
from typing import Final

from PIL import Image

from loadtests.fuzz import png
from loadtests.fuzz.png import COLOUR, COLOUR_ALPHA, GREY, GREY_ALPHA, PALETTE, chunk, png_of_samples, png_with, seven_samples
from loadtests.fuzz.rare_metadata import BROKEN_EXIF, with_metadata
from loadtests.images import SIDE, encode, seven

# Name and bit depths of every colour type.
COLOUR_TYPES: Final = {
    GREY: ("grey", (1, 2, 4, 8, 16)),
    COLOUR: ("colour", (8, 16)),
    GREY_ALPHA: ("grey and alpha", (8, 16)),
    COLOUR_ALPHA: ("colour and alpha", (8, 16)),
    PALETTE: ("palette", (1, 2, 4, 8)),
}
# Chunks between the header and the pixels.
CHUNKS: Final[dict[str, list[tuple[bytes, bytes]]]] = {
    "a broken EXIF": [(b"eXIf", BROKEN_EXIF)],
    "texts of 500 kB": [(b"zTXt", b"k\0\0" + zlib.compress(bytes(500_000)))],
    "a packed text of the world": [(b"iTXt", b"k\0\1\0de\0k\0" + zlib.compress("ä".encode() * 100_000))],
    "texts that cannot be unpacked": [(b"zTXt", b"k\0\0zlib")],
    "texts packed in an unknown way": [(b"iTXt", b"k\0\1\x09\0\0x")],
    "HTML in a text": [(b"tEXt", b"<html>\0<script>alert(1)</script>")],
    **{f"announcing {count} frames": [(b"acTL", struct.pack(">II", count, 0))] for count in (0, 1, 2**31 - 1, 2**32 - 1)},
}
EVERY_KIND: Final = (
    *((b"gAMA", b"\0\0\0\0"), (b"cHRM", bytes(32)), (b"sRGB", b"\x09"), (b"pHYs", bytes(9)), (b"bKGD", b"\0\xff")),
    *((b"tIME", b"\xff" * 7), (b"sBIT", b"\x08"), (b"cICP", b"\x09\x10\0\1"), (b"aaAa", bytes(1000)), (b"tEXt", b"")),
)


def valid_pngs() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as PNG in many ways; yields descriptions and files."""
    yield from _colour_types()
    yield from _transparent()
    yield from with_metadata(seven(), "PNG")
    plain = encode(seven())
    for name, chunks in CHUNKS.items():
        yield name, png_with(plain, starmap(chunk, chunks))
    yield "chunks of every kind", png_with(plain, starmap(chunk, EVERY_KIND), [chunk(b"tEXt", b"k\0v")])
    header, (_, pixels), end = png.split_chunks(plain)
    pieces = [(b"IDAT", bytes((byte,))) for byte in pixels]
    yield "pixels in pieces of a byte", png.join_chunks([header, *pieces, end])
    empty = [chunk(b"IDAT")] * 3000
    yield "6,000 empty pieces of pixels", png_with(plain, empty, empty)
    yield "another PNG after its end", plain + plain
    frames = [seven(ink=90), seven(ink=60)]
    yield "animated", encode(seven(), save_all=True, append_images=frames, duration=50)
    other = encode(seven(), save_all=True, append_images=frames, default_image=True)
    yield "animated, its first picture not among the frames", other
    strip = Image.new("L", (4000, SIDE), 255)
    strip.paste(seven(), (2500, 0))
    yield "a long strip", encode(strip)


def _colour_types() -> Iterable[tuple[str, bytes]]:
    for interlaced, (kind, (name, depths)) in product((False, True), COLOUR_TYPES.items()):
        for depth in depths:
            data = png_of_samples(seven_samples(depth, png.CHANNELS[kind]), kind, depth, interlaced=interlaced)
            colours = [chunk(b"PLTE", _palette(depth))] if kind == PALETTE else []
            yield f"{'interlaced, ' if interlaced else ''}{name} of {depth} bits", png_with(data, colours)


def _transparent() -> Iterable[tuple[str, bytes]]:
    for kind in (GREY, COLOUR):
        name, depths = COLOUR_TYPES[kind]
        for depth in depths:
            clear = chunk(b"tRNS", struct.pack(">H", 2**depth - 1) * png.CHANNELS[kind])
            data = png_of_samples(seven_samples(depth, png.CHANNELS[kind]), kind, depth)
            yield f"{name} of {depth} bits with a transparent background", png_with(data, [clear])
    data, colours = png_of_samples(seven_samples(8), PALETTE, 8), chunk(b"PLTE", _palette(8))
    for name, alpha in {"all of it": bytes([255] * 255 + [0]), "a short list": b"\xff\x80", "an empty list": b""}.items():
        yield f"palette with transparency, {name}", png_with(data, [colours, chunk(b"tRNS", alpha)])
    alone = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    alone.putalpha(seven(background=0, ink=255))
    yield "white ink on nothing, opacity alone", encode(alone)


def _palette(depth: int) -> bytes:
    """The colours of ink, of what does not occur, and of the background."""
    return b"\x10\x20\x30" + b"\x99\x88\x77" * ((1 << depth) - 2) + b"\xff\xf0\xee"
