"""Brings a whole picture into the model's frame: stretched, cut or padded, in colour or grey, with antialiasing."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from preprocessing.ink import extrema
from preprocessing.spec import InputSpec, PhotoGeometry
from preprocessing.tensors import OPAQUE

Frame = npt.NDArray[np.uint8]
"""``uint8[H,W]``, or in colour ``uint8[H,W,3]``, with alpha ``uint8[H,W,4]``."""

MODES: Final = {"grey": "L", "RGB": "RGB", "BGR": "RGB", "RGBA": "RGBA"}
FILTERS: Final = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# The largest level of 16 bits is this many times that of 8 bits.
SIXTEEN_BITS: Final = 257
# A picture is scaled as a whole and then cut, as usual, unless it is so long that this many frames would be computed.
MAX_EXCESS: Final = 4


def frame_photo(image: Image.Image, spec: InputSpec) -> Image.Image:
    """The model's frame of a decoded picture: "L", "RGB" or "RGBA", of the size of the model's input."""
    assert isinstance(spec.geometry, PhotoGeometry)
    frame = fit(to_mode(image, MODES[spec.colour]), (spec.width, spec.height), spec.geometry)
    wanted = spec.geometry.polarity
    if wanted == "as_is" or (wanted == "dark_on_light") == is_border_light(frame):
        return frame
    table = [255 - level for level in range(256)]
    return frame.point(table * (3 if frame.mode != "L" else 1) + (list(range(256)) if frame.mode == "RGBA" else []))


def to_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert a picture of any mode to "L", "RGB" or "RGBA". Transparent pixels become white unless the alpha is kept."""
    if image.mode == mode:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        levels = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0) / SIXTEEN_BITS
        image = Image.fromarray(np.clip(levels + 0.5, 0, 255).astype(np.uint8))
    elif mode != "RGBA" and image.has_transparency_data:
        visible = image if image.mode == "RGBA" else image.convert("RGBA")
        if extrema(visible.getchannel("A"))[0] < OPAQUE:
            image = Image.new("RGBA", image.size, "white")
            image.alpha_composite(visible)
    return image.convert(mode)


def fit(image: Image.Image, size: tuple[int, int], geometry: PhotoGeometry) -> Image.Image:
    """Scale a picture to a frame of ``size`` (width, height) as ``geometry.fit`` says."""
    width, height = size
    if geometry.fit == "stretch":
        return resize(image, size, (0, 0, *image.size), geometry)
    if geometry.fit == "pad":
        scale = min(width / image.width, height / image.height)
        inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        frame = Image.new(image.mode, size, (geometry.pad_level,) * len(image.getbands()))
        frame.paste(resize(image, inner, (0, 0, *image.size), geometry), ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return frame
    enlarged = (geometry.shorter_side or min(size)) / min(size)
    scale = enlarged * max(width / image.width, height / image.height)
    scaled = max(width, int(image.width * scale + 1e-6)), max(height, int(image.height * scale + 1e-6))
    left, top = round((scaled[0] - width) / 2), round((scaled[1] - height) / 2)
    if scaled[0] * scaled[1] <= MAX_EXCESS * width * height:
        return resize(image, scaled, (0, 0, *image.size), geometry).crop((left, top, left + width, top + height))
    across, down = image.width / scaled[0], image.height / scaled[1]
    return resize(image, size, (left * across, top * down, (left + width) * across, (top + height) * down), geometry)


def resize(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float], geometry: PhotoGeometry
) -> Image.Image:
    """Scale the part of a picture in ``box`` to ``size``; nothing is done where it has this size already."""
    if box == (0, 0, *size):
        return image.crop((0, 0, *size)) if image.size != size else image
    if geometry.filter != "area":
        return image.resize(size, FILTERS[geometry.filter], box=box)
    reduces = box[2] - box[0] >= size[0] and box[3] - box[1] >= size[1]
    return image.resize(size, Image.Resampling.BOX if reduces else Image.Resampling.BILINEAR, box=box)


def is_border_light(frame: Image.Image) -> bool:
    """Whether the outermost pixels of a frame are lighter than half on average."""
    levels = np.asarray(frame.convert("L"))
    sides = (levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1])
    return sum(int(side.sum()) for side in sides) > 127.5 * sum(side.size for side in sides)
