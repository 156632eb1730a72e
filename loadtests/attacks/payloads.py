"""Small images that are expensive to read: thousands of EXIF tags, profiles, and progressive JPEGs of many scans."""

import struct
from typing import Final

import numpy as np
from PIL import Image

from loadtests.fuzz.formats import SHORT, exif, progressive
from loadtests.fuzz.png import chunk, png_of_size, png_with
from loadtests.images import ORIENTATION, encode

TAGS: Final = 65_535
LONG: Final = 4  # the EXIF type of 32-bit numbers
SUB_DIRECTORIES: Final = (0x8769, 0x8825, 0xA005)
FIRST_DIRECTORY: Final = 8


def png_with_exif(tags: int = TAGS, nested: bool = False) -> bytes:
    """Encode a PNG of 64x64 pixels with EXIF of many tags, the last of them the orientation; with ``nested`` its
    sub-directories (Exif, GPS, interoperability) start at its own offset."""
    entries = [(tag, LONG, 1, struct.pack("<I", FIRST_DIRECTORY)) for tag in (SUB_DIRECTORIES if nested else ())]
    entries += [(0x9000 + i % 0x6000, SHORT, 1, b"\7\0\0\0") for i in range(tags - len(entries) - 1)]
    content = exif([*entries, (ORIENTATION, SHORT, 1, b"\6\0\0\0")], "<")
    return png_with(png_of_size(64, 64), [chunk(b"eXIf", content)])


def png_with_profiles(size: int = 1_000_000) -> bytes:
    """Encode a PNG of 64x64 pixels with invalid colour profiles of ``size`` bytes in all."""
    profile = chunk(b"iCCP", b"k\0\0")
    return png_with(png_of_size(64, 64), [profile] * (size // len(profile)))


def progressive_jpeg(side: int = 4096, scans: int = 64) -> bytes:
    """Encode a progressive JPEG of ``side`` x ``side`` pixels of one grey level; the last scan is repeated."""
    image = Image.new("L", (side, side), 128)
    return progressive(image, scans - progressive(image, 0).count(b"\xff\xda"))


def noise(side: int = 1024, format: str = "JPEG", quality: int = 88) -> bytes:
    """Encode an image of noise with a dark stroke: a file as large as its pixels allow."""
    grain = np.random.default_rng(0).integers(150, 256, (side, side), dtype=np.uint8)
    grain[side // 4 : side * 3 // 4, side * 9 // 20 : side * 11 // 20] //= 8
    return encode(Image.fromarray(grain), format, quality=quality)
