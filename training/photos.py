"""Pictures of Fashion-MNIST as photos of the same thing: larger, on a light or dark ground, under uneven light."""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Levels = npt.NDArray[np.float32]

# Standard deviations of the noise in levels of 255, JPEG qualities, and the light lost from the middle to either side.
NOISE: Final = (0.5, 7.0)
QUALITIES: Final = (40, 96)
FALL: Final = 0.15
# Pixels of the longer side of the thing, and of the room beside it as a share of that.
SIDES: Final = (50, 300)
ROOM: Final = (0.05, 0.4)
# What red, green and blue see of the light: grey, cream, bluish, or one channel alone.
TINTS: Final = ((1.0,), (1.0,), (1.0, 0.96, 0.86), (0.9, 0.95, 1.0))


def photographed(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Image.Image:
    """A thing (``uint8[28,28]``, light on black) as someone might have photographed it: mode "L" or "RGB", 55 to 540 pixels.

    On a light ground it is shown as it was before Fashion-MNIST made a negative of it. Like every photo, the picture still
    has to go through preprocessing.
    """
    thing = _enlarged(picture, hand)
    seen = _on_light(thing, hand) if hand.random() < 0.6 else _on_dark(thing, hand)
    seen *= _light(thing.shape, hand)
    if hand.random() < 0.8:
        seen += hand.standard_normal(thing.shape, dtype=np.float32) * np.float32(hand.uniform(*NOISE))
    shades = [_shade(seen, share) for share in TINTS[hand.integers(len(TINTS))]]
    photo = Image.merge("RGB", shades) if len(shades) > 1 else shades[0]
    return _compressed(photo, int(hand.integers(*QUALITIES))) if hand.random() < 0.5 else photo


def _enlarged(picture: npt.NDArray[np.uint8], hand: np.random.Generator) -> Levels:
    """The thing off the middle of an empty frame: ``float32[H,W]`` in 0..1."""
    rows, columns = picture.any(axis=1).nonzero()[0], picture.any(axis=0).nonzero()[0]
    if not len(rows):
        rows = columns = np.arange(len(picture))
    thing = Image.fromarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    side = float(np.exp(hand.uniform(*np.log(SIDES))))
    width, height = (max(1, round(edge * side / max(thing.size))) for edge in thing.size)
    large = thing.resize((width, height), Image.Resampling.BICUBIC)
    left, top, right, bottom = (side * hand.uniform(*ROOM, 4)).astype(int).tolist()
    frame = np.zeros((top + height + bottom, left + width + right), dtype=np.float32)
    frame[top : top + height, left : left + width] = np.asarray(large, dtype=np.float32) / 255
    return frame


def _on_light(thing: Levels, hand: np.random.Generator) -> Levels:
    """Dark where the thing is strong, on a ground from white to grey."""
    seen: Levels = (1 - thing * np.float32(hand.uniform(0.7, 1))) * np.float32(hand.uniform(140, 255))
    return seen


def _on_dark(thing: Levels, hand: np.random.Generator) -> Levels:
    """The negative itself on a ground that is black or nearly so."""
    ground = np.float32(max(0, hand.uniform(-20, 60)))
    seen: Levels = ground + thing * np.float32(hand.uniform(0.7, 1)) * (255 - ground)
    return seen


def _light(shape: tuple[int, ...], hand: np.random.Generator) -> Levels:
    """Light that falls off over a plane, at most 1; even in some pictures."""
    across, down = hand.uniform(-FALL, FALL, 2) if hand.random() < 0.6 else (0, 0)
    light: Levels = np.linspace(-across, across, shape[1], dtype=np.float32) + np.linspace(
        -down, down, shape[0], dtype=np.float32
    ).reshape(-1, 1)
    light += np.float32(1 - abs(across) - abs(down))
    return light


def _shade(seen: Levels, share: float) -> Image.Image:
    """One channel, which sees this share of the light."""
    return Image.fromarray((np.clip(seen * np.float32(share), 0, 255) + np.float32(0.5)).astype(np.uint8))


def _compressed(photo: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return Image.open(file)
