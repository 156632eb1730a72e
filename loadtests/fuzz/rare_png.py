"""Valid PNGs of every kind: bit depths, colour types, interlaced, transparent, animated, with all that a file may contain."""

import struct
import zlib
from collections.abc import Iterable
from itertools import product

from PIL import Image

from loadtests.fuzz.formats import (
    COLOUR,
    COLOUR_ALPHA,
    GREY,
    GREY_ALPHA,
    PALETTE,
    chunk,
    join_chunks,
    png_of_samples,
    seven_samples,
    split_chunks,
)
from loadtests.images import ORIENTATION, SIDE, colour_profiles, encode, seven


def valid_pngs() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as PNG in many ways; yields descriptions and files."""
    plain = encode(seven())
    header, *_, end = split_chunks(plain)
    pixels = b"".join(content for kind, content in split_chunks(plain) if kind == b"IDAT")
    kinds = (
        *(("grey", GREY, 1, depth) for depth in (1, 2, 4, 8, 16)),
        *(("colour", COLOUR, 3, depth) for depth in (8, 16)),
        *(("grey and alpha", GREY_ALPHA, 2, depth) for depth in (8, 16)),
        *(("colour and alpha", COLOUR_ALPHA, 4, depth) for depth in (8, 16)),
        *(("palette", PALETTE, 1, depth) for depth in (1, 2, 4, 8)),
    )
    for interlaced, (name, kind, channels, depth) in product((False, True), kinds):
        before = chunk(b"PLTE", _palette(depth)) if kind == PALETTE else b""
        data = png_of_samples(seven_samples(depth, channels), kind, depth, interlaced=interlaced, before=before)
        yield f"{'interlaced, ' if interlaced else ''}{name} of {depth} bits", data
    for depth in (1, 2, 4, 8, 16):
        clear = chunk(b"tRNS", struct.pack(">H", 2**depth - 1))
        data = png_of_samples(seven_samples(depth), GREY, depth, before=clear)
        yield f"grey of {depth} bits with a transparent background", data
    for depth in (8, 16):
        clear = chunk(b"tRNS", struct.pack(">HHH", *[2**depth - 1] * 3))
        data = png_of_samples(seven_samples(depth, 3), COLOUR, depth, before=clear)
        yield f"colour of {depth} bits with a transparent background", data
    colours = chunk(b"PLTE", _palette(8))
    for name, alpha in {"all of it": bytes([255] * 255 + [0]), "a short list": b"\xff\x80", "an empty list": b""}.items():
        data = png_of_samples(seven_samples(8), PALETTE, 8, before=colours + chunk(b"tRNS", alpha))
        yield f"palette with transparency, {name}", data
    alone = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    alone.putalpha(seven(background=0, ink=255))
    yield "white ink on nothing, opacity alone", encode(alone)
    for name, options in colour_profiles().items():
        yield name, encode(seven().convert("RGB"), **options)
    for orientation in (1, 3, 0, 9, 65535):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        turned = seven().rotate(180) if orientation == 3 else seven()
        yield f"orientation {orientation}", encode(turned, exif=exif)
    yield "a broken EXIF", join_chunks([header, (b"eXIf", b"Exif\0\0MM\0*\xff\xff\xff\xff"), (b"IDAT", pixels), end])
    others = [
        *((b"gAMA", b"\0\0\0\0"), (b"cHRM", bytes(32)), (b"sRGB", b"\x09"), (b"pHYs", bytes(9)), (b"bKGD", b"\0\xff")),
        *((b"tIME", b"\xff" * 7), (b"sBIT", b"\x08"), (b"cICP", b"\x09\x10\0\1"), (b"aaAa", bytes(1000)), (b"tEXt", b"")),
    ]
    yield "chunks of every kind", join_chunks([header, *others, (b"IDAT", pixels), (b"tEXt", b"k\0v"), end])
    yield "texts of 500 kB", join_chunks([header, (b"zTXt", b"k\0\0" + zlib.compress(bytes(500_000))), (b"IDAT", pixels), end])
    world = b"k\0\1\0de\0k\0" + zlib.compress("ä".encode() * 100_000)
    yield "a packed text of the world", join_chunks([header, (b"iTXt", world), (b"IDAT", pixels), end])
    yield "texts that cannot be unpacked", join_chunks([header, (b"zTXt", b"k\0\0zlib"), (b"IDAT", pixels), end])
    yield "texts packed in an unknown way", join_chunks([header, (b"iTXt", b"k\0\1\x09\0\0x"), (b"IDAT", pixels), end])
    yield "pixels in pieces of a byte", join_chunks([header, *((b"IDAT", pixels[i : i + 1]) for i in range(len(pixels))), end])
    empty = [(b"IDAT", b"")] * 6000
    yield "6,000 empty pieces of pixels", join_chunks([header, *empty[:3000], (b"IDAT", pixels), *empty[3000:], end])
    yield "a ZIP after its end", plain + b"PK\x03\x04" + bytes(3000)
    yield "another PNG after its end", plain + plain
    yield "HTML in a text", join_chunks([header, (b"tEXt", b"<html>\0<script>alert(1)</script>"), (b"IDAT", pixels), end])
    frames = [seven(), seven(ink=90), seven(ink=60)]
    yield "animated", encode(frames[0], save_all=True, append_images=frames[1:], duration=50)
    yield (
        "animated, its first picture not among the frames",
        encode(frames[0], save_all=True, append_images=frames[1:], default_image=True),
    )
    for count in (0, 1, 2**31 - 1, 2**32 - 1):
        animation = (b"acTL", struct.pack(">II", count, 0))
        yield f"announcing {count} frames", join_chunks([header, animation, (b"IDAT", pixels), end])
    strip = Image.new("L", (4000, SIDE), 255)
    strip.paste(seven(), (2500, 0))
    yield "a long strip", encode(strip)


def _palette(depth: int) -> bytes:
    """The colours of ink, of what does not occur, and of the background."""
    return b"\x10\x20\x30" + b"\x99\x88\x77" * ((1 << depth) - 2) + b"\xff\xf0\xee"
