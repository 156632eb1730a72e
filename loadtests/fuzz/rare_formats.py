"""Rare files and the correct response to each: those that any viewer shows must be read, all others refused."""

import struct
import zlib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from PIL import Image

from loadtests.fuzz.formats import COLOUR, GREY, PALETTE, PNG, chunk, join_chunks, png_of_samples, seven_samples, split_chunks
from loadtests.fuzz.rare_bmp_gif import RLE8, bmp, valid_bmps, valid_gifs
from loadtests.fuzz.rare_jpeg_webp import change_frame, valid_jpegs, valid_webps
from loadtests.fuzz.rare_png import valid_pngs
from loadtests.images import SIDE, encode, seven

OTHER_FORMATS: Final = ("TIFF", "ICO", "PCX", "TGA", "PPM", "JPEG2000", "SGI", "DDS", "PDF")


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


def _ambiguous() -> Iterable[tuple[str, bytes]]:
    """Files that some viewers show and others do not."""
    plain = encode(seven())
    jpeg = encode(seven().convert("RGB"), "JPEG")
    webp = encode(seven().convert("RGB"), "WEBP")
    header, *middle, end = split_chunks(plain)
    yield "a PNG without an end", plain[:-12]
    yield "a PNG whose pixels have a wrong checksum", plain[:-16] + b"\0\0\0\0" + plain[-12:]
    yield "a PNG whose header has a wrong checksum", plain[:29] + b"\0\0\0\0" + plain[33:]
    yield "a PNG with a text before its header", join_chunks([(b"tEXt", b"k\0v"), header, *middle, end])
    yield "a PNG with two headers", join_chunks([header, header, *middle, end])
    yield "a PNG with an unknown critical chunk", join_chunks([header, (b"AAAA", b"x"), *middle, end])
    yield "a PNG with pixels in two places", join_chunks([header, *middle, (b"tEXt", b"k\0v"), *middle, end])
    for packed in (b"iCCP", b"zTXt"):
        bomb = (packed, b"k\0\0" + zlib.compress(bytes(50_000_000)))
        yield f"a PNG whose {packed.decode()} unpacks to 50 MB", join_chunks([header, bomb, *middle, end])
    for length in (0, 1, 3, 5, 7, 300):
        for kind, name, channels in ((GREY, "grey", 1), (COLOUR, "colour", 3)):
            data = png_of_samples(seven_samples(8, channels), kind, 8, before=chunk(b"tRNS", bytes(length)))
            yield f"a PNG, {name}, whose transparency has {length} bytes", data
    for length in (0, 1, 2, 4, 300, 3000):
        colours = chunk(b"PLTE", (bytes(range(200)) * 15)[:length])
        data = png_of_samples(seven_samples(8), PALETTE, 8, before=colours)
        yield f"a PNG whose palette has {length} bytes", data
    frame, counts = struct.Struct(">IIIIIHHBB"), [(b"acTL", struct.pack(">II", count, 0)) for count in (1, 2)]
    no_size, far = (b"fcTL", frame.pack(0, 0, 0, 0, 0, 1, 1, 0, 0)), frame.pack(0, SIDE, SIDE, 2**31 - 1, 2**31 - 1, 1, 0, 9, 9)
    yield "an animated PNG whose frame has no size", join_chunks([header, counts[0], no_size, *middle, end])
    outside = [(b"fcTL", far), *middle, (b"fcTL", far), (b"fdAT", bytes(9))]
    yield "an animated PNG whose frame lies outside", join_chunks([header, counts[1], *outside, end])
    wrong_order = [(b"fdAT", struct.pack(">I", 7) + b"x"), *middle]
    yield "an animated PNG whose frames are out of order", join_chunks([header, counts[1], *wrong_order, end])
    yield "a JPEG without an end", jpeg[:-2]
    yield "a JPEG with two start markers", jpeg[:2] + jpeg
    yield "a JPEG whose quantisation table is zero", jpeg.replace(jpeg[25:89], bytes(64), 1)
    yield "a JPEG of 12 bits", change_frame(jpeg, lambda f: b"\x0c" + f[1:])
    yield "a JPEG of no height", change_frame(jpeg, lambda f: f[:1] + b"\0\0" + f[3:])
    yield "a JPEG of no components", change_frame(jpeg, lambda f: f[:5] + b"\0")
    yield "a JPEG of four components of which three are there", change_frame(jpeg, lambda f: f[:5] + b"\4" + f[6:])
    yield "a JPEG with sampling factors of 15", change_frame(jpeg, lambda f: f[:7] + b"\xff" + f[8:])
    for marker in (0xC1, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF):
        yield f"a JPEG of frame kind {marker - 0xC0}", jpeg.replace(b"\xff\xc0", bytes((0xFF, marker)), 1)
    yield "a JPEG with a segment of no length", jpeg[:2] + b"\xff\xfe\0\0" + jpeg[2:]
    yield "a JPEG whose scan comes first", jpeg[:2] + jpeg[jpeg.index(b"\xff\xda") :]
    yield "a JPEG half of which is zeros", jpeg[: len(jpeg) // 2] + bytes(len(jpeg) - len(jpeg) // 2)
    yield "a WebP whose length is wrong", webp[:4] + struct.pack("<I", len(webp) // 2) + webp[8:]
    yield "a WebP that is longer than the file", webp[:4] + struct.pack("<I", 2**31) + webp[8:]
    yield "a BMP without its last four bytes", bmp([bytes(96 * 3)] * 96, 24)[:-4]
    yield "a BMP whose runs do not end", bmp([b"\x60\1"] * 96, 8, compression=RLE8)
    yield "a BMP whose runs exceed its rows", bmp([b"\xff\1\0\2\xff\xff"] * 96, 8, compression=RLE8)
    yield "a GIF of one colour", encode(Image.new("P", (9, 9)), "GIF")
    yield "a GIF cut off in its pixels", encode(seven(), "GIF")[:-300]
    yield "1 x 1", encode(Image.new("L", (1, 1), 7))
    yield "1 x 8,192", encode(Image.linear_gradient("L").resize((1, 8192)))
    yield "8,192 x 1", encode(Image.linear_gradient("L").rotate(90).resize((8192, 1)))
    yield "1 x 8,192 as JPEG", encode(Image.linear_gradient("L").resize((1, 8192)), "JPEG")
    yield "8,192 x 1 as WebP", encode(Image.linear_gradient("L").rotate(90).resize((8192, 1)).convert("RGB"), "WEBP")


def _broken() -> Iterable[tuple[str, bytes]]:
    """Files that are blank or cannot be decoded."""
    for level in (0, 127, 255):
        blank = Image.new("L", (64, 64), level)
        for format in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
            yield f"{format} of level {level}", encode(blank.convert("RGB"), format)
        yield f"PNG of level {level}, all of it transparent", encode(Image.merge("LA", (blank, Image.new("L", (64, 64)))))
    yield "a PNG of no width", png_of_samples(np.zeros((4, 0, 1), np.uint16), GREY, 8)
    header, *rest = split_chunks(encode(seven()))
    yield "a PNG of an invalid depth", join_chunks([(b"IHDR", header[1][:8] + b"\3" + header[1][9:]), *rest])
    webp = encode(seven().convert("RGB"), "WEBP", save_all=True, append_images=[seven(ink=99).convert("RGB")])
    yield "an animated WebP cut off in its first frame", webp[: webp.index(b"ANMF") + 40]
    yield "a WebP of its signature alone", b"RIFF\x04\0\0\0WEBP"
    yield "a GIF that ends with its screen", encode(seven(), "GIF")[:13]
    yield "a GIF of its end alone", b"GIF89a\x09\0\x09\0\0\0\0;" + bytes(100)
    yield "a BMP of its header alone", bmp([], 24)[:54]
    yield "a BMP of an invalid depth", bmp([bytes(96)] * 96, 7)
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
    yield "a BMP of 2,000,000,000 x 2", bmp([], 24).replace(struct.pack("<ii", 96, 96), struct.pack("<ii", 2_000_000_000, 2))
    yield "a JPEG of so many scans that they take long", _scans(Image.new("L", (4096, 4096), 128), 30)
    canvas = struct.pack("<I", 2) + struct.pack("<I", 16382)[:3] + struct.pack("<I", 16382)[:3]
    frames = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    picture = encode(seven().convert("RGB"), "WEBP")[12:]
    frame = bytes(6) + struct.pack("<I", SIDE - 1)[:3] * 2 + bytes(4) + picture
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + frames + b"ANMF" + struct.pack("<I", len(frame)) + frame
    yield "an animated WebP of 16,383 x 16,383", b"RIFF" + struct.pack("<I", len(body)) + body


def _scans(image: Image.Image, more: int) -> bytes:
    """Encode a progressive JPEG and repeat its last scan."""
    data = encode(image, "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * more + data[-2:]


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
