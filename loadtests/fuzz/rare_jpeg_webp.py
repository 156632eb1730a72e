"""Valid JPEGs and WebPs of every kind, and with all that a file may contain."""

from collections.abc import Iterable
from itertools import product
from typing import Any, Final

from PIL import Image

from loadtests.fuzz.formats import SHORT, exif, jpeg_with, segment
from loadtests.fuzz.rare_metadata import BROKEN_EXIF, HTML, with_metadata
from loadtests.images import ORIENTATION, SIDE, encode, seven

TEXT: Final = 2  # an EXIF type
EXIF_SEGMENTS: Final = {
    "an EXIF that is broken": BROKEN_EXIF,
    "an EXIF that is empty": b"Exif\0\0",
    "an EXIF that is without an end": b"Exif\0\0II*",
    "an orientation that is a text": b"Exif\0\0" + exif([(ORIENTATION, TEXT, 1, b"3\0\0\0")]),
    "an orientation of no values": b"Exif\0\0" + exif([(ORIENTATION, SHORT, 0, b"\0\3\0\0")]),
}
# What follows the first segment.
SEGMENTS: Final = {
    **{name: segment(0xE1, content) for name, content in EXIF_SEGMENTS.items()},
    "ten comments of 65 kB": segment(0xFE, bytes(65_533)) * 10,
    "HTML in a comment": segment(0xFE, HTML),
    "a multi-picture index that is broken": segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff"),
    "profile parts numbered wrongly": segment(0xE2, b"ICC_PROFILE\0\x05\x02" + bytes(100)),
    "Photoshop resources that are cut off": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\xff\xff"),
}
# Pillow's options.
JPEG_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "RGB without a transform": {"keep_rgb": True},
    **{f"colour at {subsampling}": {"subsampling": subsampling} for subsampling in ("4:4:4", "4:2:2", "4:2:0")},
    "restart markers": {"restart_marker_blocks": 1},
}
WEBP_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "lossy": {},
    "lossless": {"lossless": True},
    "a broken EXIF": {"exif": BROKEN_EXIF},
    "XMP": {"xmp": b"<x:xmpmeta" + bytes(5000)},
}


def valid_jpegs() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as JPEG in many ways; yields descriptions and files."""
    colour = seven().convert("RGB")
    plain = encode(colour, "JPEG")
    for mode, kind in product(("L", "RGB", "CMYK", "YCbCr"), ("baseline", "progressive")):
        data = encode(colour.convert(mode), "JPEG", progressive=kind == "progressive", quality=85)
        yield f"{mode}, {kind}", data
    for name, options in JPEG_OPTIONS.items():
        yield name, encode(colour, "JPEG", **options)
    for name, segments in SEGMENTS.items():
        yield name, jpeg_with(plain, segments)
    yield from with_metadata(colour, "JPEG")
    yield "YCCK", _ycck(colour)
    yield "two pictures in one file", encode(colour, "MPO", save_all=True, append_images=[colour, colour])
    yield "fill bytes before markers", plain.replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1)


def valid_webps() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as WebP in many ways; yields descriptions and files."""
    colour = seven().convert("RGB")
    clear = Image.new("RGBA", (SIDE, SIDE))
    clear.putalpha(seven(background=0, ink=255))
    for name, options in WEBP_OPTIONS.items():
        yield name, encode(colour, "WEBP", **options)
    yield "lossless grey", encode(seven(), "WEBP", lossless=True)
    yield "with transparency", encode(clear, "WEBP")
    yield "with transparency, lossless and exact", encode(clear, "WEBP", lossless=True, exact=True)
    frames = [colour.rotate(5), colour.rotate(9)]
    yield "animated", encode(colour, "WEBP", save_all=True, append_images=frames, duration=40)
    frames = [clear.rotate(9)]
    yield "animated with transparency", encode(clear, "WEBP", save_all=True, append_images=frames, lossless=True)
    yield from with_metadata(colour, "WEBP")


def _ycck(image: Image.Image) -> bytes:
    """Encode the channels of YCbCr, and no black, as a JPEG of four channels whose Adobe segment says so."""
    image = Image.merge("CMYK", (*image.convert("YCbCr").split(), Image.new("L", image.size)))
    jpeg = bytearray(encode(image, "JPEG", quality=90))
    jpeg[jpeg.index(b"Adobe") + 11] = 2
    return bytes(jpeg)
