"""Files as common programs write them give the frame that the same drawing gives as plain RGBA."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from preprocessing import decode, preprocess
from tests.preprocessing.specs import MNIST
from tests.support.pictures import BLACK, CLEAR, WHITE, digit, encoded

TOLERANCE = 0.02  # mean absolute difference in 0..1


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def on_paper() -> Image.Image:
    return digit("7", ink=BLACK, paper=WHITE).convert("RGB")


def palette_with_a_transparent_colour() -> bytes:
    image = digit("7", ink=BLACK, paper=WHITE).convert("L").point(lambda level: 255 if level > 127 else 0).convert("P")
    return saved(image, "PNG", transparency=255)


def sixteen_bit() -> bytes:
    levels = np.asarray(on_paper().convert("L"), dtype=np.uint16) * 100 + 5000
    return saved(Image.fromarray(levels), "PNG")


def animation(format: str) -> bytes:
    blank = Image.new("RGB", (280, 280), "white")
    return saved(on_paper(), format, save_all=True, append_images=[blank, blank], duration=100)


FILES: dict[str, Callable[[], bytes]] = {
    "grey PNG": lambda: encoded(on_paper().convert("L")),
    "grey PNG with opacity": lambda: encoded(digit("7", ink=WHITE, paper=CLEAR).convert("LA")),
    "1-bit PNG": lambda: encoded(on_paper().convert("1", dither=Image.Dither.NONE)),
    "palette PNG": lambda: encoded(on_paper().convert("P")),
    "palette PNG with a transparent colour": palette_with_a_transparent_colour,
    "16-bit PNG": sixteen_bit,
    "animated PNG": lambda: animation("PNG"),
    "JPEG": lambda: saved(on_paper(), "JPEG", quality=90),
    "progressive JPEG": lambda: saved(on_paper(), "JPEG", quality=90, progressive=True),
    "grey JPEG": lambda: saved(on_paper().convert("L"), "JPEG", quality=90),
    "CMYK JPEG": lambda: saved(on_paper().convert("CMYK"), "JPEG", quality=90),
    "WebP": lambda: saved(on_paper(), "WEBP", quality=80),
    "lossless WebP with opacity": lambda: saved(digit("7"), "WEBP", lossless=True),
    "animated WebP": lambda: animation("WEBP"),
}


@pytest.mark.parametrize("file", FILES)
def test_every_file_format_gives_the_same_frame(file: str) -> None:
    expected = preprocess(digit("7"), MNIST)
    found = preprocess(decode(FILES[file]()), MNIST)
    assert float(np.abs(found - expected).mean()) < TOLERANCE
