"""Renders Fashion-MNIST images as photos: larger, on a light or dark background, under uneven light."""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Levels = npt.NDArray[np.float32]

# Standard deviations of the noise in levels of 255, JPEG qualities, and the share of light lost from the middle to a side.
NOISE: Final = (0.5, 7.0)
QUALITIES: Final = (40, 96)
FALL: Final = 0.15
# Pixels of the longer side of the object, and the margin on each side as a share of it.
SIDES: Final = (50, 300)
MARGINS: Final = (0.05, 0.4)
# Light levels of red, green and blue: one grey channel, cream, bluish.
TINTS: Final = ((1.0,), (1.0,), (1.0, 0.96, 0.86), (0.9, 0.95, 1.0))


def render_photo(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Render an object ``uint8[28, 28]``, light on black, as a photo: mode "L" or "RGB", 55 to 540 pixels a side.

    On a light background it is inverted, as it was before Fashion-MNIST made a negative of it. The photo is still to be
    preprocessed.
    """
    subject = _enlarged(image, rng)
    seen = _on_light(subject, rng) if rng.random() < 0.6 else _on_dark(subject, rng)
    seen *= _light(subject.shape, rng)
    if rng.random() < 0.8:
        seen += rng.standard_normal(subject.shape, dtype=np.float32) * np.float32(rng.uniform(*NOISE))
    shades = [_shade(seen, share) for share in TINTS[rng.integers(len(TINTS))]]
    photo = Image.merge("RGB", shades) if len(shades) > 1 else shades[0]
    return jpeg(photo, int(rng.integers(*QUALITIES))) if rng.random() < 0.5 else photo


def _enlarged(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> Levels:
    """Enlarge the object and place it on an empty canvas, off its middle: ``float32[H, W]`` in 0..1."""
    rows, columns = image.any(axis=1).nonzero()[0], image.any(axis=0).nonzero()[0]
    if not len(rows):
        rows = columns = np.arange(len(image))
    subject = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    side = float(np.exp(rng.uniform(*np.log(SIDES))))
    width, height = (max(1, round(edge * side / max(subject.size))) for edge in subject.size)
    large = subject.resize((width, height), Image.Resampling.BICUBIC)
    left, top, right, bottom = (side * rng.uniform(*MARGINS, 4)).astype(int).tolist()
    canvas = np.zeros((top + height + bottom, left + width + right), dtype=np.float32)
    canvas[top : top + height, left : left + width] = np.asarray(large, dtype=np.float32) / 255
    return canvas


def _on_light(subject: Levels, rng: np.random.Generator) -> Levels:
    """Draw the object dark on a background from white to grey."""
    seen: Levels = (1 - subject * np.float32(rng.uniform(0.7, 1))) * np.float32(rng.uniform(140, 255))
    return seen


def _on_dark(subject: Levels, rng: np.random.Generator) -> Levels:
    """Draw the object light on a background that is black or nearly black."""
    background = np.float32(max(0, rng.uniform(-20, 60)))
    seen: Levels = background + subject * np.float32(rng.uniform(0.7, 1)) * (255 - background)
    return seen


def _light(shape: tuple[int, ...], rng: np.random.Generator) -> Levels:
    """Light that changes linearly over the image, at most 1; even in some images."""
    across, down = rng.uniform(-FALL, FALL, 2) if rng.random() < 0.6 else (0, 0)
    light: Levels = np.linspace(-across, across, shape[1], dtype=np.float32) + np.linspace(
        -down, down, shape[0], dtype=np.float32
    ).reshape(-1, 1)
    light += np.float32(1 - abs(across) - abs(down))
    return light


def _shade(seen: Levels, share: float) -> Image.Image:
    """Make one channel with a share of the light."""
    return Image.fromarray((np.clip(seen * np.float32(share), 0, 255) + np.float32(0.5)).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Compress an image as JPEG, and open it without decoding."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)
