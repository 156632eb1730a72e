"""Rare files and the correct response to each: those that any viewer shows must be read, all others refused."""

import struct
import zlib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cache
from itertools import starmap
from typing import Final

from PIL import Image

from loadtests.fuzz import png
from loadtests.fuzz.formats import bmp, progressive, riff, riff_chunk, segment
from loadtests.fuzz.png import COLOUR, GREY, PALETTE, PNG, chunk, png_of_samples, png_with, seven_samples
from loadtests.fuzz.rare_bmp_gif import RLE8, bmp_of_rows, valid_bmps, valid_gifs
from loadtests.fuzz.rare_jpeg_webp import valid_jpegs, valid_webps
from loadtests.fuzz.rare_png import valid_pngs
from loadtests.images import SIDE, encode, seven

OTHER_FORMATS: Final = ("TIFF", "ICO", "PCX", "TGA", "PPM", "JPEG2000", "SGI", "DDS", "PDF")
FRAME: Final = struct.Struct(">IIIIIHHBB")  # of an animated PNG


@dataclass(frozen=True, slots=True)
class RareFile:
    """A file, the allowed statuses, and whether a response with 200 must have the label ``LABEL``."""

    data: bytes
    statuses: Set[int]
    has_label: bool = True


@cache
def rare_files() -> dict[str, RareFile]:
    """Build the files, by description."""
    valid = {"PNG": valid_pngs(), "JPEG": valid_jpegs(), "WebP": valid_webps(), "BMP": valid_bmps(), "GIF": valid_gifs()}
    found = {f"{format}, {name}": RareFile(data, {200}) for format, files in valid.items() for name, data in files}
    found |= {name: RareFile(data, {200, 422}, has_label=False) for name, data in _ambiguous()}
    found |= {name: RareFile(data, {422}) for name, data in _broken()}
    found |= {name: RareFile(data, {413}) for name, data in _large()}
    found |= {f"{name}, unsupported": RareFile(data, {415}) for name, data in _others()}
    return found


def _ambiguous_pngs() -> Iterable[tuple[str, bytes]]:
    """PNGs that some viewers show and others do not."""
    plain = encode(seven())
    header, pixels, end = png.split_chunks(plain)
    one, two = ((b"acTL", struct.pack(">II", count, 0)) for count in (1, 2))
    no_size = (b"fcTL", FRAME.pack(0, 0, 0, 0, 0, 1, 1, 0, 0))
    far = (b"fcTL", FRAME.pack(0, SIDE, SIDE, 2**31 - 1, 2**31 - 1, 1, 0, 9, 9))
    text, data = (b"tEXt", b"k\0v"), struct.pack(">I", 7) + b"x"
    for name, chunks in {
        "with a text before its header": [text, header, pixels],
        "with two headers": [header, header, pixels],
        "with an unknown critical chunk": [header, (b"AAAA", b"x"), pixels],
        "with pixels in two places": [header, pixels, text, pixels],
        "that is animated, its frame without a size": [header, one, no_size, pixels],
        "that is animated, its frame outside": [header, two, far, pixels, far, (b"fdAT", bytes(9))],
        "that is animated, its frames out of order": [header, two, (b"fdAT", data), pixels],
    }.items():
        yield name, png.join_chunks([*chunks, end])
    yield "without an end", plain[:-12]
    yield "whose pixels have a wrong checksum", plain[:-16] + b"\0\0\0\0" + plain[-12:]
    yield "whose header has a wrong checksum", plain[:29] + b"\0\0\0\0" + plain[33:]
    for packed in (b"iCCP", b"zTXt"):
        bomb = chunk(packed, b"k\0\0" + zlib.compress(bytes(50_000_000)))
        yield f"whose {packed.decode()} unpacks to 50 MB", png_with(plain, [bomb])
    grey, colour, indexed = (png_of_samples(seven_samples(8, png.CHANNELS[kind]), kind, 8) for kind in (GREY, COLOUR, PALETTE))
    for length in (0, 1, 3, 5, 7, 300):
        clear = [chunk(b"tRNS", bytes(length))]
        yield f"in grey whose transparency has {length} bytes", png_with(grey, clear)
        yield f"in colour whose transparency has {length} bytes", png_with(colour, clear)
    for length in (0, 1, 2, 4, 300, 3000):
        colours = chunk(b"PLTE", (bytes(range(200)) * 15)[:length])
        yield f"whose palette has {length} bytes", png_with(indexed, [colours])


def _ambiguous_jpegs() -> Iterable[tuple[str, bytes]]:
    """JPEGs that some viewers show and others do not."""
    plain = encode(seven().convert("RGB"), "JPEG")
    yield "without an end", plain[:-2]
    yield "with two start markers", plain[:2] + plain
    yield "with a segment of no length", plain[:2] + b"\xff\xfe\0\0" + plain[2:]
    yield "whose quantisation table is zero", plain.replace(plain[25:89], bytes(64), 1)
    yield "whose scan comes first", plain[:2] + plain[plain.index(b"\xff\xda") :]
    yield "half of which is zeros", plain[: len(plain) // 2] + bytes(len(plain) - len(plain) // 2)
    for marker in (0xC1, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF):
        yield f"of frame kind {marker - 0xC0}", plain.replace(b"\xff\xc0", bytes((0xFF, marker)), 1)
    at = plain.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(plain[at + 2 : at + 4], "big")
    frame = plain[at + 4 : end]  # bits, height, width, number of components, and the components
    for name, changed in {
        "of 12 bits": b"\x0c" + frame[1:],
        "of no height": frame[:1] + b"\0\0" + frame[3:],
        "of no components": frame[:5] + b"\0",
        "of four components of which three are there": frame[:5] + b"\4" + frame[6:],
        "with sampling factors of 15": frame[:7] + b"\xff" + frame[8:],
    }.items():
        yield name, plain[:at] + segment(0xC0, changed) + plain[end:]


def _ambiguous() -> Iterable[tuple[str, bytes]]:
    """Files that some viewers show and others do not."""
    yield from ((f"a PNG {name}", data) for name, data in _ambiguous_pngs())
    yield from ((f"a JPEG {name}", data) for name, data in _ambiguous_jpegs())
    webp = encode(seven().convert("RGB"), "WEBP")
    yield "a WebP whose length is wrong", webp[:4] + struct.pack("<I", len(webp) // 2) + webp[8:]
    yield "a WebP that is longer than the file", webp[:4] + struct.pack("<I", 2**31) + webp[8:]
    yield "a BMP without its last four bytes", bmp_of_rows([bytes(96 * 3)] * 96, 24)[:-4]
    yield "a BMP whose runs do not end", bmp_of_rows([b"\x60\1"] * 96, 8, compression=RLE8)
    yield "a BMP whose runs exceed its rows", bmp_of_rows([b"\xff\1\0\2\xff\xff"] * 96, 8, compression=RLE8)
    yield "a GIF of one colour", encode(Image.new("P", (9, 9)), "GIF")
    yield "a GIF cut off in its pixels", encode(seven(), "GIF")[:-300]
    high, wide = Image.linear_gradient("L").resize((1, 8192)), Image.linear_gradient("L").rotate(90).resize((8192, 1))
    yield "1 x 1", encode(Image.new("L", (1, 1), 7))
    yield "1 x 8,192", encode(high)
    yield "8,192 x 1", encode(wide)
    yield "1 x 8,192 as JPEG", encode(high, "JPEG")
    yield "8,192 x 1 as WebP", encode(wide.convert("RGB"), "WEBP")


def _broken() -> Iterable[tuple[str, bytes]]:
    """Files that are blank or cannot be decoded."""
    for level in (0, 127, 255):
        blank = Image.new("L", (64, 64), level)
        for format in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
            yield f"{format} of level {level}", encode(blank.convert("RGB"), format)
        yield f"PNG of level {level}, all of it transparent", encode(Image.merge("LA", (blank, Image.new("L", (64, 64)))))
    yield "a PNG of no width", png.png_of_size(0, 4, pixels=b"")
    header, *rest = png.split_chunks(encode(seven()))
    yield "a PNG of an invalid depth", png.join_chunks([(b"IHDR", header[1][:8] + b"\3" + header[1][9:]), *rest])
    webp = encode(seven().convert("RGB"), "WEBP", save_all=True, append_images=[seven(ink=99).convert("RGB")])
    yield "an animated WebP cut off in its first frame", webp[: webp.index(b"ANMF") + 40]
    yield "a WebP of its signature alone", b"RIFF\x04\0\0\0WEBP"
    yield "a GIF that ends with its screen", encode(seven(), "GIF")[:13]
    yield "a GIF of its end alone", b"GIF89a\x09\0\x09\0\0\0\0;" + bytes(100)
    yield "a BMP of its header alone", bmp(b"", SIDE, SIDE, 24)
    yield "a BMP of an invalid depth", bmp_of_rows([bytes(96)] * 96, 7)
    yield "a JPEG of NULs", b"\xff\xd8\xff" + bytes(5000)
    yield "a PNG of NULs", PNG + bytes(5000)
    yield "a PNG that becomes a GIF", PNG + encode(seven(), "GIF")
    yield "a JPEG that becomes a PNG", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + encode(seven())


def _large() -> Iterable[tuple[str, bytes]]:
    """Files that are too wide, too high, or have too many pixels, however few bytes."""
    yield "a PNG of 8,193 x 1", encode(Image.new("L", (8193, 1)))
    yield "a PNG of 1 bit and 2,049 x 2,049", encode(Image.new("1", (2049, 2049)))
    yield "a JPEG of 1 x 8,193", encode(Image.new("L", (1, 8193)), "JPEG")
    yield "a JPEG of 8,000 x 8,000", encode(Image.new("L", (8000, 8000)), "JPEG", quality=1)
    yield "a WebP of 2,049 x 2,049", encode(Image.new("RGB", (2049, 2049)), "WEBP", method=0)
    yield "a GIF of 65,535 x 65,535", b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\1\0\0;"
    yield "a GIF of 1 x 1 whose frame is larger", b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\xff\x7f\xff\x7f\0\x02\1\0\0;"
    yield "a BMP of 1 bit and 2,049 x 2,049", encode(Image.new("1", (2049, 2049)), "BMP")
    yield "a BMP of 2,000,000,000 x 2", bmp(b"", 2_000_000_000, 2, 24)
    yield "a JPEG of so many scans that they take long", progressive(Image.new("L", (4096, 4096), 128), 30)
    canvas = struct.pack("<I", 2) + struct.pack("<I", 16382)[:3] * 2
    frame = bytes(6) + struct.pack("<I", SIDE - 1)[:3] * 2 + bytes(4) + encode(seven().convert("RGB"), "WEBP")[12:]
    chunks = (b"VP8X", canvas), (b"ANIM", bytes(6)), (b"ANMF", frame)
    yield "an animated WebP of 16,383 x 16,383", riff(*starmap(riff_chunk, chunks))


def _others() -> Iterable[tuple[str, bytes]]:
    """Images of unsupported formats, and files that are no images."""
    Image.init()
    for format in OTHER_FORMATS:
        yield format, encode(seven(), format)
    yield "AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(500)
    yield "HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)
    yield "PSD", b"8BPS\0\1" + bytes(500)
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9"/></svg>'
    yield "a WAV in RIFF", b"RIFF\x24\0\0\0WAVEfmt " + bytes(500)
    yield "NULs", bytes(500)
    yield "a PNG after a byte", b"\n" + encode(seven())
    yield "a PNG after a change of line ends", encode(seven()).replace(b"\r\n", b"\n")
    yield "a ZIP with a PNG in it", b"PK\x03\x04" + bytes(26) + encode(seven())
    yield "an HTML page", b"<!doctype html><img src=7.png>"
