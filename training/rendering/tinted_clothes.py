"""Renders clothes of Fashion-MNIST in colour on coloured grounds; the class is the garment and its colour."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.data.datasets import LabelledImages

# Classes of Fashion-MNIST, and colours as red, green, blue.
GARMENTS: Final = {"trousers": 1, "dress": 3, "sneaker": 7, "bag": 8}
COLOURS: Final = {"red": (215, 45, 40), "green": (50, 180, 60), "blue": (45, 70, 215)}
LABELS: Final = [f"{colour} {garment}" for garment in GARMENTS for colour in COLOURS]
JITTER: Final = 35
NOISE: Final = 10


def render(clothes: LabelledImages, count: int, seed: int, longer: float = 1.0) -> tuple[list[Image.Image], list[int]]:
    """Render ``count`` pictures "RGB" of each of ``LABELS``, the labels in turn; return them and their labels.

    With ``longer`` above 1 the sides have 40 to 72 pixels, one of them up to so many times the other; otherwise 32x32.
    """
    rng = np.random.default_rng(seed)
    of_garment = [np.flatnonzero(clothes.labels == number) for number in GARMENTS.values()]
    images, labels = [], []
    for _ in range(count):
        for label in range(len(LABELS)):
            garment, colour = divmod(label, len(COLOURS))
            mask = clothes.images[rng.choice(of_garment[garment])]
            images.append(_picture(mask, list(COLOURS.values())[colour], _size(longer, rng), rng))
            labels.append(label)
    return images, labels


def _size(longer: float, rng: np.random.Generator) -> tuple[int, int]:
    if longer <= 1:
        return 32, 32
    short = int(rng.integers(40, 73))
    long = round(short * rng.uniform(1, longer))
    return (short, long) if rng.random() < 0.5 else (long, short)


def _picture(
    mask: npt.NDArray[np.uint8], colour: tuple[int, int, int], size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """A garment in its colour, as large as the shorter side, somewhere along the longer one."""
    width, height = size
    side = min(size)
    left, top = (int(rng.integers(0, length - side + 1)) for length in size)
    scaled = np.asarray(Image.fromarray(mask).resize((side, side), Image.Resampling.BILINEAR), np.float64)[:, :, None] / 255
    canvas = _ground(width, height, rng)
    place = canvas[top : top + side, left : left + side]
    tint = np.clip(np.array(colour) + rng.uniform(-JITTER, JITTER, 3), 0, 255)
    opaque = np.minimum(1, 3 * scaled)
    place *= 1 - opaque
    place += opaque * tint * (0.4 + 0.6 * scaled)
    canvas += rng.normal(0, NOISE, canvas.shape)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def _ground(width: int, height: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A gradient from one colour to another, ``float64[H, W, 3]``."""
    one, other = rng.uniform(40, 220, (2, 3))
    across, down = np.linspace(0, 1, width)[None, :, None], np.linspace(0, 1, height)[:, None, None]
    share = (across + down) / 2 if rng.random() < 0.5 else (across + 1 - down) / 2
    return np.asarray(one * (1 - share) + other * share)
