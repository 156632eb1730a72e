"""The perturbations of the robustness report: renders an MNIST digit from inverted colours to a photo of paper.

A perturbation takes a digit ``uint8[28, 28]`` (white ink on black, as MNIST has it) and random numbers, and returns the image
that a client might send.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from training.rendering.photos import jpeg

Digit = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.float32]
Render = Callable[[Digit, np.random.Generator], Image.Image]

SIDE: Final = 280
SCALE: Final = 0.7  # of the canvas side, unless a perturbation changes it
USUAL: Final = 0.985
HARD: Final = 0.975


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A named way to render digits, the accuracy it requires, and whether the answers may not change."""

    name: str
    render: Render
    min_accuracy: float = USUAL
    same_answer: bool = False


def enlarged(digit: Digit, side: int = SIDE, scale: float = SCALE, place: tuple[float, float] = (0.5, 0.5)) -> Image.Image:
    """Enlarge the digit to ``scale`` of a square canvas, at ``place`` of the free space: mode "L", 255 is ink."""
    size = max(4, round(side * scale))
    canvas = Image.new("L", (side, side))
    large = Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)
    canvas.paste(large, (round((side - size) * place[0]), round((side - size) * place[1])))
    return canvas


def on_paper(ink: Image.Image, paper: float | Levels = 255.0, ink_level: float = 0.0) -> Image.Image:
    """Draw ink on paper of one level or of levels ``float32[H, W]``; ink has the share ``ink_level`` of its light."""
    cover = np.asarray(ink, dtype=np.float32) / 255
    return Image.fromarray(np.clip(paper * (1 - cover * (1 - ink_level)), 0, 255).astype(np.uint8))


def transparent(ink: Image.Image, colour: int) -> Image.Image:
    """Draw ink of one grey level on a transparent canvas: mode "RGBA"."""
    level = Image.new("L", ink.size, colour)
    return Image.merge("RGBA", (level, level, level, ink))


def light_gradient(rng: np.random.Generator, width: int, height: int, share: float) -> Levels:
    """Light that falls by ``share`` from one side to the other, in a random direction: ``float32[height, width]``."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-0.5, 0.5, width, dtype=np.float32), np.linspace(-0.5, 0.5, height, dtype=np.float32)
    along = np.float32(np.cos(angle)) * x[None, :] + np.float32(np.sin(angle)) * y[:, None]
    along = (along - along.min()) / (along.max() - along.min())
    light: Levels = 245 * (1 - np.float32(share) * along)
    return light


def in_corner(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return on_paper(enlarged(digit, scale=0.5, place=(float(rng.integers(2)), float(rng.integers(2)))))


def padded(digit: Digit, rng: np.random.Generator) -> Image.Image:
    page = Image.new("L", (SIDE + int(rng.integers(1, 200)), SIDE + int(rng.integers(1, 200))), 255)
    page.paste(on_paper(enlarged(digit)), (0, 0))
    return page


def any_size(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return on_paper(enlarged(digit, side=int(16 * 128 ** rng.uniform(0, 1)), scale=0.9))


def noisy(digit: Digit, rng: np.random.Generator) -> Image.Image:
    levels = np.asarray(on_paper(enlarged(digit), 230.0, 0.15), dtype=np.float32)
    return Image.fromarray(np.clip(levels + rng.normal(0, 20, levels.shape), 0, 255).astype(np.uint8))


def squared_paper(digit: Digit, rng: np.random.Generator) -> Image.Image:
    paper = np.full((SIDE, SIDE), 250, dtype=np.float32)
    step = int(rng.integers(20, 45))
    for place in range(int(rng.integers(step)), SIDE, step):
        paper[place : place + 2] = paper[:, place : place + 2] = rng.uniform(140, 200)
    return on_paper(enlarged(digit), paper, 0.08)


def dark_edge(digit: Digit, rng: np.random.Generator) -> Image.Image:
    paper = np.full((SIDE, SIDE), 250, dtype=np.float32)
    paper[: int(rng.integers(4, 20))] = rng.uniform(20, 90)
    return on_paper(enlarged(digit), np.rot90(paper, int(rng.integers(4))).copy(), 0.05)


def specks(digit: Digit, rng: np.random.Generator) -> Image.Image:
    page = on_paper(enlarged(digit))
    draw = ImageDraw.Draw(page)
    for x, y in rng.integers(0, SIDE, (6, 2)).tolist():
        radius = int(rng.integers(1, 3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return page


def photo(digit: Digit, rng: np.random.Generator) -> Image.Image:
    """Render 12 megapixels: a digit on paper under uneven light, out of focus, with sensor noise, as JPEG."""
    width, height, size = 4000, 3000, 1800
    ink = Image.new("L", (width, height))
    rotated = Image.fromarray(digit).rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC)
    large = rotated.resize((size, size), Image.Resampling.BICUBIC)
    ink.paste(large, (int(rng.integers(width - size)), int(rng.integers(height - size))))
    light = Image.fromarray(light_gradient(rng, 80, 60, 0.4)).resize((width, height), Image.Resampling.BILINEAR)
    grain = np.tile(rng.normal(0, 6, (500, 500)).astype(np.float32), (6, 8))
    levels = np.asarray(on_paper(ink, np.asarray(light), 0.2), dtype=np.float32) + grain
    return jpeg(Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)), 80)


def rotated(digit: Digit, rng: np.random.Generator) -> Image.Image:
    """Rotate the digit by up to 15 degrees: mode "L", 255 is ink."""
    return enlarged(digit).rotate(rng.uniform(-15, 15), Image.Resampling.BICUBIC)


PERTURBATIONS: Final = (
    Perturbation("dark ink on light", lambda digit, _: on_paper(enlarged(digit)), same_answer=True),
    Perturbation("light ink on dark", lambda digit, _: enlarged(digit), same_answer=True),
    Perturbation("black ink, transparent", lambda digit, _: transparent(enlarged(digit), 0), same_answer=True),
    Perturbation("white ink, transparent", lambda digit, _: transparent(enlarged(digit), 255), same_answer=True),
    Perturbation("padded", padded, same_answer=True),
    Perturbation("in a corner", in_corner, same_answer=True),
    Perturbation("0.15 to 1 of the frame", lambda digit, rng: on_paper(enlarged(digit, scale=rng.uniform(0.15, 1)))),
    Perturbation("frame of 16 to 2048 pixels", any_size),
    Perturbation("thin strokes", lambda digit, _: on_paper(enlarged(digit).filter(ImageFilter.MinFilter(7)))),
    Perturbation("thick strokes", lambda digit, _: on_paper(enlarged(digit).filter(ImageFilter.MaxFilter(11)))),
    Perturbation("blurred", lambda digit, _: on_paper(enlarged(digit).filter(ImageFilter.GaussianBlur(5)))),
    Perturbation("faint", lambda digit, _: on_paper(enlarged(digit), 255, 0.86)),
    Perturbation("JPEG of quality 20", lambda digit, _: jpeg(on_paper(enlarged(digit)), 20)),
    Perturbation("noise", noisy),
    Perturbation(
        "light falling off by half", lambda digit, rng: on_paper(enlarged(digit), light_gradient(rng, SIDE, SIDE, 0.5), 0.15)
    ),
    Perturbation("squared paper", squared_paper, HARD),
    Perturbation("dark edge", dark_edge),
    Perturbation("turned by up to 15 degrees", lambda digit, rng: on_paper(rotated(digit, rng)), HARD),
    Perturbation("specks", specks),
    Perturbation("photo of 12 megapixels", photo, HARD),
)
