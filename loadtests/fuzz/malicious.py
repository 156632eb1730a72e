"""Malicious files: decompression bombs, thousands of chunks, two formats in one, extreme sizes, missing palettes."""

import zlib
from functools import cache
from typing import Final

from loadtests.fuzz.formats import SHORT, bmp, exif
from loadtests.fuzz.png import PALETTE, PNG, chunk, png_of_size, png_with
from loadtests.images import ORIENTATION

CHUNKS: Final = 10_000
LONG: Final = 9_000_000


def _exif(tags: int, values: int = 1) -> bytes:
    """Encode EXIF of so many tags, each with so many values that lie in the table itself; the first is the orientation."""
    others = ((0x8000 | tag & 0x7FFF, 1, values, b"\0\0\0\x08") for tag in range(tags - 1))
    return exif([(ORIENTATION, SHORT, 1, b"\0\3\0\0"), *others])


@cache
def malicious_files() -> dict[str, bytes]:
    """Build the files, by description."""
    small, medium, text = png_of_size(20, 20), png_of_size(64, 64), chunk(b"tEXt", b"k\0v")
    zeros = b"k\0\0" + zlib.compress(bytes(100_000_000))
    profile = chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(1_000_000)))
    return {
        "decompression bomb of 30,000 x 30,000": png_of_size(30_000, 30_000, pixels=b""),
        "black PNG of 8,000 x 8,000": png_of_size(8000, 8000),
        "largest size that fits in a header": png_of_size(2**31 - 1, 2**31 - 1, pixels=b""),
        "one pixel wide and 9 million high": png_of_size(1, LONG),
        "9 million wide and one pixel high": png_of_size(LONG, 1),
        "no width": png_of_size(0, 10, pixels=b""),
        "10,000 text chunks": png_with(small, [text] * CHUNKS),
        "10,000 empty data chunks": png_with(small, [chunk(b"IDAT")] * CHUNKS),
        "80,000 chunks": png_with(small, [chunk(b"tEXt")] * 80_000),
        "a text that unpacks to 100 MB": png_with(small, [chunk(b"zTXt", zeros)]),
        "a colour profile that unpacks to 100 MB": png_with(small, [chunk(b"iCCP", zeros)]),
        "1,000 colour profiles of 1 MB": png_with(small, [profile] * 1000),
        "65,535 EXIF tags": png_with(medium, [chunk(b"eXIf", _exif(65_535))]),
        "65,535 EXIF tags behind the pixels": png_with(small, behind=[chunk(b"eXIf", _exif(65_535))]),
        "EXIF tags that point back at their table": png_with(medium, [chunk(b"eXIf", _exif(65_535, 0xFFFF))]),
        "palette colours without a palette": png_of_size(2, 2, kind=PALETTE),
        "more pixels than announced": png_of_size(2, 2, pixels=bytes(1_000_000)),
        "fewer pixels than announced": png_of_size(200, 200, pixels=bytes(10)),
        "a PNG with a ZIP at its end": small + b"PK\x03\x04" + bytes(1000),
        "a PNG with HTML at its end": small + b"<script>alert(1)</script>",
        "a PNG with nothing after its signature": PNG,
        "a JPEG of its markers alone": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9",
        "a JPEG of 65,535 x 65,535": b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00" + bytes(100),
        "a WebP of no length": b"RIFF\x00\x00\x00\x00WEBP",
        "a WebP that is longer than it says": b"RIFF\x04\x00\x00\x00WEBPVP8 " + bytes(1000),
        "a JPEG of a megabyte of fill bytes": b"\xff\xd8" + b"\xff" * 1_000_000 + b"\xda",
        "a JPEG of 15 frames of 20,000 components": b"\xff\xd8" + (b"\xff\xc0\xea\x62\x08" + bytes(59_999)) * 15,
        "a JPEG of 15,000 quantisation tables": b"\xff\xd8" + (b"\xff\xdb\xfd\xea" + b"\1" * 65_000) * 15,
        "a GIF of zeros": b"GIF89a" + bytes(100),
        "a GIF of 300,000 extensions": b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\0" * 300_000,
        "a GIF whose comment has 500,000 pieces": b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\1x" * 500_000,
        "a BMP of empty runs": bmp(bytes(1_000_000), 64, 64, 8, compression=1, palette=bytes(1024)),
        "an SVG that asks for a file": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "a TIFF": b"II*\x00\x08\x00\x00\x00" + bytes(100),
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file",
        "a URL": b"http://127.0.0.1:1/7.png",
        "a pickle": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
        "one byte": b"\x89",
    }
