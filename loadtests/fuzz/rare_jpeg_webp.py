"""Valid JPEGs and WebPs of every kind, and with all that a file may contain."""

import struct
from collections.abc import Callable, Iterable

from PIL import Image

from loadtests.fuzz.formats import segment
from loadtests.images import ORIENTATION, SIDE, colour_profiles, encode, seven


def valid_jpegs() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as JPEG in many ways; yields descriptions and files."""
    colour = seven().convert("RGB")
    plain = encode(colour, "JPEG")
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        for progressive in (False, True):
            data = encode(colour.convert(mode), "JPEG", progressive=progressive, quality=85)
            yield f"{mode}, {'progressive' if progressive else 'baseline'}", data
    yield "YCCK", _with_adobe(encode(_ycck(colour), "JPEG", quality=90), 2)
    yield "RGB without a transform", encode(colour, "JPEG", keep_rgb=True)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield f"colour at {subsampling}", encode(colour, "JPEG", subsampling=subsampling)
    yield "restart markers", encode(colour, "JPEG", restart_marker_blocks=1)
    for name, options in colour_profiles().items():
        yield name, encode(colour, "JPEG", **options)
    for orientation in (1, 3, 0, 9, 65535):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield f"orientation {orientation}", encode(colour.rotate(180) if orientation == 3 else colour, "JPEG", exif=exif)
    for name, content in {"broken": b"MM\0*\xff\xff\xff\xff", "empty": b"", "without an end": b"II*"}.items():
        yield f"an EXIF that is {name}", _inserted(plain, segment(0xE1, b"Exif\0\0" + content))
    yield "an orientation that is a text", _inserted(plain, segment(0xE1, _exif(ORIENTATION, 2, b"3\0\0\0")))
    yield "an orientation of no values", _inserted(plain, segment(0xE1, _exif(ORIENTATION, 3, b"\0\3\0\0", count=0)))
    yield "ten comments of 65 kB", _inserted(plain, segment(0xFE, bytes(65_533)) * 10)
    yield "HTML in a comment", _inserted(plain, segment(0xFE, b"<html><script>alert(1)</script>"))
    yield "HTML after its end", plain + b"<html><script>alert(1)</script>"
    yield "a ZIP after its end", plain + b"PK\x03\x04" + bytes(3000)
    yield "two pictures in one file", encode(colour, "MPO", save_all=True, append_images=[colour, colour])
    yield "a multi-picture index that is broken", _inserted(plain, segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff"))
    yield "profile parts numbered wrongly", _inserted(plain, segment(0xE2, b"ICC_PROFILE\0\x05\x02" + bytes(100)))
    resources = b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\xff\xff"
    yield "Photoshop resources that are cut off", _inserted(plain, segment(0xED, resources))
    yield "fill bytes before markers", plain.replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1)


def valid_webps() -> Iterable[tuple[str, bytes]]:
    """Encode ``seven()`` as WebP in many ways; yields descriptions and files."""
    colour = seven().convert("RGB")
    clear = Image.new("RGBA", (SIDE, SIDE))
    clear.putalpha(seven(background=0, ink=255))
    for name, image, options in (
        ("lossy", colour, {}),
        ("lossless", colour, {"lossless": True}),
        ("lossless grey", seven(), {"lossless": True}),
        ("with transparency", clear, {}),
        ("with transparency, lossless and exact", clear, {"lossless": True, "exact": True}),
        ("animated", colour, {"save_all": True, "append_images": [colour.rotate(5), colour.rotate(9)], "duration": 40}),
        ("animated with transparency", clear, {"save_all": True, "append_images": [clear.rotate(9)], "lossless": True}),
    ):
        yield name, encode(image, "WEBP", **options)
    for name, options in colour_profiles().items():
        yield name, encode(colour, "WEBP", **options)
    exif = Image.Exif()
    exif[ORIENTATION] = 3
    yield "upside down", encode(colour.rotate(180), "WEBP", exif=exif)
    yield "a broken EXIF", encode(colour, "WEBP", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    yield "XMP", encode(colour, "WEBP", xmp=b"<x:xmpmeta" + bytes(5000))
    yield "something after its end", encode(colour, "WEBP") + b"PK\x03\x04" + bytes(3000)


def _inserted(jpeg: bytes, segments: bytes) -> bytes:
    """Insert segments after the first one of a JPEG, which is JFIF's."""
    at = 4 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:at] + segments + jpeg[at:]


def _exif(tag: int, kind: int, value: bytes, count: int = 1) -> bytes:
    """Encode EXIF with one tag."""
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHI", 1, tag, kind, count) + value + bytes(4)


def change_frame(jpeg: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change the frame header of a JPEG."""
    at = jpeg.index(b"\xff\xc0")
    length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return jpeg[:at] + segment(0xC0, change(jpeg[at + 4 : at + 2 + length])) + jpeg[at + 2 + length :]


def _ycck(image: Image.Image) -> Image.Image:
    """Put the channels of YCbCr, and no black, into a CMYK image."""
    return Image.merge("CMYK", (*image.convert("YCbCr").split(), Image.new("L", image.size)))


def _with_adobe(jpeg: bytes, transform: int) -> bytes:
    """Change the colour transform that the Adobe segment of a JPEG names."""
    at = jpeg.index(b"Adobe")
    return jpeg[: at + 11] + bytes((transform,)) + jpeg[at + 12 :]
