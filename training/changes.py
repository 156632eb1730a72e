"""Digits as pictures: the named changes of the robustness suite, from another polarity to a photo of squared paper.

A change takes a digit ``uint8[28, 28]`` (white ink on black, as MNIST has it) and random numbers, and gives the picture that
someone might send.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Digit = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.float32]
Render = Callable[[Digit, np.random.Generator], Image.Image]

SIDE: Final = 280
SCALE: Final = 0.7  # of the frame's side, when a change does not say otherwise
USUAL: Final = 0.985
HARD: Final = 0.975


@dataclass(frozen=True, slots=True)
class Change:
    """A way pictures differ from MNIST, the accuracy that is promised for it, and whether the answer may not change at all."""

    name: str
    render: Render
    bound: float = USUAL
    neutral: bool = False


def drawn(digit: Digit, side: int = SIDE, scale: float = SCALE, place: tuple[float, float] = (0.5, 0.5)) -> Image.Image:
    """Ink ("L", 255 is ink) of the digit enlarged to ``scale`` of a square frame, at ``place`` of the room that is left."""
    size = max(4, round(side * scale))
    frame = Image.new("L", (side, side))
    enlarged = Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)
    frame.paste(enlarged, (round((side - size) * place[0]), round((side - size) * place[1])))
    return frame


def on_paper(ink: Image.Image, paper: float | Levels = 255.0, pen: float = 0.0) -> Image.Image:
    """Ink over paper of one level or of a surface ``float32[H, W]``; the pen leaves the share ``pen`` of the paper's light."""
    cover = np.asarray(ink, dtype=np.float32) / 255
    return Image.fromarray(np.clip(paper * (1 - cover * (1 - pen)), 0, 255).astype(np.uint8))


def transparent(ink: Image.Image, colour: int) -> Image.Image:
    """Ink of one grey on nothing, as a canvas gives it."""
    level = Image.new("L", ink.size, colour)
    return Image.merge("RGBA", (level, level, level, ink))


def slope(hand: np.random.Generator, width: int, height: int, share: float) -> Levels:
    """Light that falls off by ``share`` from one side of a picture to the other, in a random direction."""
    angle = hand.uniform(0, 2 * np.pi)
    x, y = np.linspace(-0.5, 0.5, width, dtype=np.float32), np.linspace(-0.5, 0.5, height, dtype=np.float32)
    along = np.float32(np.cos(angle)) * x[None, :] + np.float32(np.sin(angle)) * y[:, None]
    along = (along - along.min()) / (along.max() - along.min())
    light: Levels = 245 * (1 - np.float32(share) * along)
    return light


def corner(digit: Digit, hand: np.random.Generator) -> Image.Image:
    return on_paper(drawn(digit, scale=0.5, place=(float(hand.integers(2)), float(hand.integers(2)))))


def padded(digit: Digit, hand: np.random.Generator) -> Image.Image:
    page = Image.new("L", (SIDE + int(hand.integers(1, 200)), SIDE + int(hand.integers(1, 200))), 255)
    page.paste(on_paper(drawn(digit)), (0, 0))
    return page


def frame_of_any_size(digit: Digit, hand: np.random.Generator) -> Image.Image:
    return on_paper(drawn(digit, side=int(16 * 128 ** hand.uniform(0, 1)), scale=0.9))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """The picture after JPEG compression, opened but not decoded."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def noisy(digit: Digit, hand: np.random.Generator) -> Image.Image:
    levels = np.asarray(on_paper(drawn(digit), 230.0, 0.15), dtype=np.float32)
    return Image.fromarray(np.clip(levels + hand.normal(0, 20, levels.shape), 0, 255).astype(np.uint8))


def squared(digit: Digit, hand: np.random.Generator) -> Image.Image:
    paper = np.full((SIDE, SIDE), 250, dtype=np.float32)
    step = int(hand.integers(20, 45))
    for place in range(int(hand.integers(step)), SIDE, step):
        paper[place : place + 2] = paper[:, place : place + 2] = hand.uniform(140, 200)
    return on_paper(drawn(digit), paper, 0.08)


def dark_edge(digit: Digit, hand: np.random.Generator) -> Image.Image:
    paper = np.full((SIDE, SIDE), 250, dtype=np.float32)
    paper[: int(hand.integers(4, 20))] = hand.uniform(20, 90)
    return on_paper(drawn(digit), np.rot90(paper, int(hand.integers(4))).copy(), 0.05)


def specks(digit: Digit, hand: np.random.Generator) -> Image.Image:
    page = on_paper(drawn(digit))
    draw = ImageDraw.Draw(page)
    for x, y in hand.integers(0, SIDE, (6, 2)).tolist():
        radius = int(hand.integers(1, 3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return page


def photo(digit: Digit, hand: np.random.Generator) -> Image.Image:
    """Twelve megapixels: a digit on paper under uneven light, out of focus, with the sensor's noise, as a JPEG."""
    width, height, size = 4000, 3000, 1800
    ink = Image.new("L", (width, height))
    turned = Image.fromarray(digit).rotate(hand.uniform(-8, 8), Image.Resampling.BICUBIC)
    enlarged = turned.resize((size, size), Image.Resampling.BICUBIC)
    ink.paste(enlarged, (int(hand.integers(width - size)), int(hand.integers(height - size))))
    light = Image.fromarray(slope(hand, 80, 60, 0.4)).resize((width, height), Image.Resampling.BILINEAR)
    grain = np.tile(hand.normal(0, 6, (500, 500)).astype(np.float32), (6, 8))
    levels = np.asarray(on_paper(ink, np.asarray(light), 0.2), dtype=np.float32) + grain
    return jpeg(Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)), 80)


def turned(digit: Digit, hand: np.random.Generator) -> Image.Image:
    """Ink of the digit turned by up to 15 degrees."""
    return drawn(digit).rotate(hand.uniform(-15, 15), Image.Resampling.BICUBIC)


CHANGES: Final = (
    Change("dark ink on light", lambda digit, _: on_paper(drawn(digit)), neutral=True),
    Change("light ink on dark", lambda digit, _: drawn(digit), neutral=True),
    Change("black ink, transparent", lambda digit, _: transparent(drawn(digit), 0), neutral=True),
    Change("white ink, transparent", lambda digit, _: transparent(drawn(digit), 255), neutral=True),
    Change("padded", padded, neutral=True),
    Change("in a corner", corner, neutral=True),
    Change("0.15 to 1 of the frame", lambda digit, hand: on_paper(drawn(digit, scale=hand.uniform(0.15, 1)))),
    Change("frame of 16 to 2048 pixels", frame_of_any_size),
    Change("thin strokes", lambda digit, _: on_paper(drawn(digit).filter(ImageFilter.MinFilter(7)))),
    Change("thick strokes", lambda digit, _: on_paper(drawn(digit).filter(ImageFilter.MaxFilter(11)))),
    Change("blurred", lambda digit, _: on_paper(drawn(digit).filter(ImageFilter.GaussianBlur(5)))),
    Change("faint", lambda digit, _: on_paper(drawn(digit), 255, 0.86)),
    Change("JPEG of quality 20", lambda digit, _: jpeg(on_paper(drawn(digit)), 20)),
    Change("noise", noisy),
    Change("light falling off by half", lambda digit, hand: on_paper(drawn(digit), slope(hand, SIDE, SIDE, 0.5), 0.15)),
    Change("squared paper", squared, HARD),
    Change("dark edge", dark_edge),
    Change("turned by up to 15 degrees", lambda digit, hand: on_paper(turned(digit, hand)), HARD),
    Change("specks", specks),
    Change("photo of 12 megapixels", photo, HARD),
)
