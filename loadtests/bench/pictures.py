"""The pictures of the benchmark and the forms they are sent in: bytes, the same for every contestant."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from loadtests.samples import samples

BOUNDARY: Final = "picture-of-the-benchmark"
CONTENT_TYPE: Final = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture and the digit drawn on it."""

    data: bytes
    label: str


def drawn(paper: tuple[int, int, int, int]) -> Image.Image:
    """A seven in black on a 280x280 RGBA canvas."""
    image = Image.new("RGBA", (280, 280), paper)
    ImageDraw.Draw(image).line([(80, 60), (200, 60), (130, 220)], fill=(0, 0, 0, 255), width=20, joint="curve")
    return image


def png(image: Image.Image) -> bytes:
    """The picture as a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def canvas(paper: tuple[int, int, int, int] = (0, 0, 0, 0)) -> bytes:
    """A seven on a 280x280 RGBA canvas, as the page sends it: a PNG."""
    return png(drawn(paper))


def small() -> bytes:
    """The same seven on 16x16 grey pixels, dark on light: a PNG."""
    return png(drawn((255, 255, 255, 255)).crop((40, 40, 240, 240)).convert("L").resize((16, 16), Image.Resampling.BOX))


def photo(side: int = 4000) -> bytes:
    """A 12-megapixel JPEG of a digit on paper under uneven light, with the grain of a sensor."""
    digit = Image.open(io.BytesIO(samples()[0].data)).getchannel("A").resize((side * 3 // 4, side * 3 // 4))
    light = np.linspace(150, 240, side, dtype=np.float32)[None, :].repeat(side * 3 // 4, axis=0)
    grain = np.tile(np.random.default_rng(0).normal(0, 5, (side // 8, side // 8)), (6, 8))
    page = Image.fromarray((light + grain).astype(np.uint8))
    page.paste(30, (side // 8, 0), digit)
    buffer = io.BytesIO()
    page.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@cache
def pictures() -> dict[str, Picture]:
    """The pictures that are sent under load, by name."""
    return {"canvas": Picture(canvas(), "7"), "small": Picture(small(), "7")}


def form(images: list[bytes], field: str = "image", options: dict[str, str] | None = None) -> bytes:
    """A multipart/form-data body: every picture as a file in ``field``, then the options as text; see ``CONTENT_TYPE``."""
    parts = [(f'name="{field}"; filename="picture.png"\r\nContent-Type: image/png', data) for data in images]
    parts += [(f'name="{name}"', value.encode()) for name, value in (options or {}).items()]
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts
    )
    return body + f"--{BOUNDARY}--\r\n".encode()
