"""Valid images of every kind that the formats allow: modes, sizes, palettes, transparency, animations, metadata."""

from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from loadtests.images import ORIENTATION, encode

SIZES: Final = (
    (1, 1), (2, 3), (1, 50), (50, 1), (3, 1000), (1000, 3), (5000, 1), (28, 28), (64, 400), (280, 280), (300, 200), (600, 600),
)  # fmt: skip


def random_image(rng: Random) -> bytes:
    """Encode one valid image: a stroke on a background, or next to nothing where it is too small for one."""
    image = _drawing(rng.choice(SIZES), rng)
    return rng.choice((_png, _png, _jpeg, _jpeg, _webp, _bmp, _gif))(image, rng)


def _drawing(size: tuple[int, int], rng: Random) -> Image.Image:
    image = Image.new("RGBA", size, rng.choice([(255, 255, 255, 255), (0, 0, 0, 0), (30, 30, 40, 255)]))
    width, height = size
    stroke = [(width * x, height * y) for x, y in ((0.3, 0.2), (0.7, 0.2), (0.4, 0.8))]
    colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256), rng.choice((255, 128)))
    ImageDraw.Draw(image).line(stroke, fill=colour, width=max(1, min(size) // 12))
    return image


def _png(image: Image.Image, rng: Random) -> bytes:
    mode = rng.choice(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert("RGB").convert(mode) if mode == "P" else image.convert(mode)
    options: dict[str, Any] = {"optimize": rng.random() < 0.2}
    if rng.random() < 0.3 and image.mode in ("P", "L", "RGB"):
        options["transparency"] = {"P": rng.choice([0, b"\x00\x80"]), "L": 255, "RGB": (255, 255, 255)}[image.mode]
    if rng.random() < 0.2:
        options["icc_profile"] = rng.randbytes(rng.randrange(300))
    if rng.random() < 0.1:
        options |= {"save_all": True, "append_images": [image]}
    return encode(image, "PNG", **options)


def _jpeg(image: Image.Image, rng: Random) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = rng.choice((0, 1, 3, 6, 8, 9, 700))
    options = {"quality": rng.choice((1, 30, 95)), "progressive": rng.random() < 0.5, "exif": exif}
    return encode(image.convert("RGB").convert(rng.choice(("L", "RGB", "CMYK", "YCbCr"))), "JPEG", **options)


def _webp(image: Image.Image, rng: Random) -> bytes:
    options: dict[str, Any] = {"lossless": rng.random() < 0.5, "method": 0}
    if rng.random() < 0.2:
        options |= {"save_all": True, "append_images": [image, image]}
    return encode(image.convert(rng.choice(("RGB", "RGBA"))), "WEBP", **options)


def _bmp(image: Image.Image, rng: Random) -> bytes:
    return encode(image.convert("RGB").convert(rng.choice(("1", "L", "P", "RGB", "RGBA"))), "BMP")


def _gif(image: Image.Image, rng: Random) -> bytes:
    options: dict[str, Any] = {"interlace": rng.randrange(2), "comment": rng.randbytes(rng.randrange(300))}
    if rng.random() < 0.3:
        options["transparency"] = rng.randrange(3)
    if rng.random() < 0.3:
        options |= {"save_all": True, "append_images": [image.rotate(9)], "disposal": rng.randrange(4)}
    return encode(image.convert("RGB").convert(rng.choice(("1", "L", "P", "RGB"))), "GIF", **options)
