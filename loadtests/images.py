"""Generated sample images: a digit as a canvas, a thumbnail, a drawing and a photo, and the seven that rare files show."""

import io
from functools import cache
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from loadtests.samples import Sample, samples

LABEL: Final = "7"
SIDE: Final = 96
ORIENTATION: Final = 0x0112  # the EXIF tag
CANVAS_SIZE, DRAWING_SIZE = (280, 280), (1050, 800)  # width, height
PICTURE_SIZES: Final = ((224, 224), (256, 256), (640, 480), (300, 500))
CLEAR, WHITE = (0, 0, 0, 0), (255, 255, 255, 255)


def encode(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """Encode an image in one of Pillow's formats."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def drawing(background: tuple[int, int, int, int], size: tuple[int, int] = CANVAS_SIZE) -> Image.Image:
    """Draw a seven in black on an RGBA canvas of ``size`` (width, height): as high as the canvas allows, in its middle."""
    scale = size[1] / CANVAS_SIZE[1]
    left = (size[0] - CANVAS_SIZE[0] * scale) / 2
    points = [(round(left + x * scale), round(y * scale)) for x, y in ((80, 60), (200, 60), (130, 220))]
    image = Image.new("RGBA", size, background)
    ImageDraw.Draw(image).line(points, fill=(0, 0, 0, 255), width=round(20 * scale), joint="curve")
    return image


@cache
def canvas(background: tuple[int, int, int, int] = CLEAR) -> bytes:
    """Encode a seven on a 280x280 RGBA canvas as PNG, as the UI sends it."""
    return encode(drawing(background))


def small() -> bytes:
    """Encode the same seven on 16x16 grey pixels, dark on light, as PNG."""
    return encode(drawing(WHITE).crop((40, 40, 240, 240)).convert("L").resize((16, 16), Image.Resampling.BOX))


def photo(side: int = 4000) -> bytes:
    """Encode a 12-megapixel JPEG of a digit on paper in uneven light, with sensor noise."""
    digit = Image.open(io.BytesIO(samples()[0].data)).getchannel("A").resize((side * 3 // 4, side * 3 // 4))
    light = np.linspace(150, 240, side, dtype=np.float32)[None, :].repeat(side * 3 // 4, axis=0)
    noise = np.tile(np.random.default_rng(0).normal(0, 5, (side // 8, side // 8)), (6, 8))
    page = Image.fromarray((light + noise).astype(np.uint8))
    page.paste(30, (side // 8, 0), digit)
    return encode(page.convert("RGB"), "JPEG", quality=90)


@cache
def colour_pictures() -> tuple[Image.Image, ...]:
    """Coloured waves of the sizes that people send: one for each size in ``PICTURE_SIZES``, the first with an alpha channel."""
    return tuple(_waves(*size).convert("RGB" if index else "RGBA") for index, size in enumerate(PICTURE_SIZES))


def _waves(width: int, height: int) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack([np.sin(columns / 17 + rows / 31), np.cos(columns / 9 + width), np.sin(rows / 13 + height)], axis=-1)
    return Image.fromarray((127.5 + 100 * waves).astype(np.uint8))


@cache
def load_images() -> dict[str, Sample]:
    """The images that are sent under load, by name."""
    return {"canvas": Sample("canvas", LABEL, canvas()), "small": Sample("small", LABEL, small())}


@cache
def benchmark_images() -> dict[str, Sample]:
    """The images that the benchmark measures, by name: those of ``load_images``, and a drawing of 1050x800 RGBA pixels."""
    large = encode(drawing(CLEAR, DRAWING_SIZE))
    return {**load_images(), "drawing": Sample("drawing", LABEL, large)}


def seven(background: int = 255, ink: int = 0) -> Image.Image:
    """Draw a seven on ``SIDE`` x ``SIDE`` grey pixels."""
    image = Image.new("L", (SIDE, SIDE), background)
    points = [(SIDE * x, SIDE * y) for x, y in ((0.28, 0.2), (0.72, 0.2), (0.45, 0.82))]
    ImageDraw.Draw(image).line(points, fill=ink, width=SIDE // 12, joint="curve")
    return image
