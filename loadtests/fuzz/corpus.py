"""Valid pictures of every odd kind that the formats know: modes, sizes, palettes, transparency, animations, metadata."""

import io
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

SIZES: Final = (
    (1, 1), (2, 3), (1, 50), (50, 1), (3, 1000), (1000, 3), (5000, 1), (28, 28), (64, 400), (280, 280), (300, 200), (600, 600),
)  # fmt: skip
PNG_MODES: Final = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
JPEG_MODES: Final = ("L", "RGB", "CMYK", "YCbCr")
WEBP_MODES: Final = ("RGB", "RGBA")
BMP_MODES: Final = ("1", "L", "P", "RGB", "RGBA")
GIF_MODES: Final = ("1", "L", "P", "RGB")
ORIENTATION: Final = 0x0112


def odd_picture(hand: Random) -> bytes:
    """One encoded picture, valid however odd: a stroke on paper, or next to nothing where it is too small for one."""
    image = _drawing(hand.choice(SIZES), hand)
    return hand.choice((_png, _png, _jpeg, _jpeg, _webp, _bmp, _gif))(image, hand)


def _drawing(size: tuple[int, int], hand: Random) -> Image.Image:
    image = Image.new("RGBA", size, hand.choice([(255, 255, 255, 255), (0, 0, 0, 0), (30, 30, 40, 255)]))
    width, height = size
    stroke = [(width * x, height * y) for x, y in ((0.3, 0.2), (0.7, 0.2), (0.4, 0.8))]
    colour = (hand.randrange(256), hand.randrange(256), hand.randrange(256), hand.choice((255, 128)))
    ImageDraw.Draw(image).line(stroke, fill=colour, width=max(1, min(size) // 12))
    return image


def _png(image: Image.Image, hand: Random) -> bytes:
    mode = hand.choice(PNG_MODES)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert("RGB").convert(mode) if mode == "P" else image.convert(mode)
    options: dict[str, Any] = {"optimize": hand.random() < 0.2}
    if hand.random() < 0.3 and image.mode in ("P", "L", "RGB"):
        options["transparency"] = {"P": hand.choice([0, b"\x00\x80"]), "L": 255, "RGB": (255, 255, 255)}[image.mode]
    if hand.random() < 0.2:
        options["icc_profile"] = hand.randbytes(hand.randrange(300))
    if hand.random() < 0.1:
        options |= {"save_all": True, "append_images": [image]}
    return _encoded(image, "PNG", options)


def _jpeg(image: Image.Image, hand: Random) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = hand.choice((0, 1, 3, 6, 8, 9, 700))
    options = {"quality": hand.choice((1, 30, 95)), "progressive": hand.random() < 0.5, "exif": exif}
    return _encoded(image.convert("RGB").convert(hand.choice(JPEG_MODES)), "JPEG", options)


def _webp(image: Image.Image, hand: Random) -> bytes:
    options: dict[str, Any] = {"lossless": hand.random() < 0.5, "method": 0}
    if hand.random() < 0.2:
        options |= {"save_all": True, "append_images": [image, image]}
    return _encoded(image.convert(hand.choice(WEBP_MODES)), "WEBP", options)


def _bmp(image: Image.Image, hand: Random) -> bytes:
    return _encoded(image.convert("RGB").convert(hand.choice(BMP_MODES)), "BMP", {})


def _gif(image: Image.Image, hand: Random) -> bytes:
    options: dict[str, Any] = {"interlace": hand.randrange(2), "comment": hand.randbytes(hand.randrange(300))}
    if hand.random() < 0.3:
        options["transparency"] = hand.randrange(3)
    if hand.random() < 0.3:
        options |= {"save_all": True, "append_images": [image.rotate(9)], "disposal": hand.randrange(4)}
    return _encoded(image.convert("RGB").convert(hand.choice(GIF_MODES)), "GIF", options)


def _encoded(image: Image.Image, format: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
