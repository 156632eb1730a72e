"""Renders photos of numbers on paper: blank, lined or squared, seen from an angle, under uneven light, blurred, as JPEG."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from training.data.datasets import LabelledImages
from training.evaluation.multi_character import scale_scan
from training.rendering.composition import line_of
from training.rendering.photos import jpeg

Levels = npt.NDArray[np.float32]
Paper = Literal["blank", "lined", "squared"]

PAPERS: Final[tuple[Paper, ...]] = ("blank", "lined", "squared")
SIZE: Final = (1200, 900)
# The height of the digits as a share of the photo's, the width of the pen as a share of theirs, and the share of light that ink
# and printed lines leave.
HEIGHTS: Final = (0.1, 0.25)
PENS: Final = (0.05, 0.1)
INK: Final = (0.15, 0.45)
PRINT: Final = (0.75, 0.9)
PITCHES: Final = (45, 70)
# How far a corner moves as a share of the side, the share of light in a shadow, blur in pixels, noise in levels, JPEG quality.
TILT: Final = 0.06
SHADOWS: Final = (0.55, 0.8)
BLURS: Final = (0.5, 1.8)
NOISE: Final = (1.0, 5.0)
QUALITIES: Final = (50, 90)
WIDEST: Final = 0.85


def photograph_number(scans: LabelledImages, length: int, paper: Paper, rng: np.random.Generator) -> tuple[Image.Image, str]:
    """Render the photo of a number of ``length`` digits, an RGB JPEG of ``SIZE``; returns its text, too."""
    width, height = SIZE
    places = rng.integers(len(scans), size=length)
    tall, pen = height * rng.uniform(*HEIGHTS), rng.uniform(*PENS)
    tall = min(tall, WIDEST * width / (1.3 * length))
    glyphs = [scale_scan(scans.images[place], tall * rng.uniform(0.85, 1), pen) for place in places]
    ink = line_of(glyphs, float(np.tan(np.deg2rad(rng.uniform(-6, 6)))), rng, gaps=(0.15, 0.5)).ink
    sheet = _print_lines(paper, rng)
    left, top = (int(rng.uniform(0.05, 0.95) * max(1, side - size)) for side, size in zip(SIZE, ink.shape[::-1], strict=True))
    part = sheet[top : top + len(ink), left : left + ink.shape[1]]
    part *= 1 - (1 - rng.uniform(*INK)) * ink[: len(part), : part.shape[1]].astype(np.float32) / 255
    seen = _tilt(sheet, rng) * _shadow(rng) * np.float32(rng.uniform(190, 250))
    blurred = Image.fromarray(seen.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(*BLURS)))
    noisy = np.asarray(blurred, dtype=np.float32) + rng.standard_normal(seen.shape, dtype=np.float32) * rng.uniform(*NOISE)
    tint = [1.0, 1.0, 1.0] if rng.random() < 0.5 else [1.0, 0.95, 0.85]
    colour = np.stack([noisy * share for share in tint], axis=-1).clip(0, 255).astype(np.uint8)
    return jpeg(Image.fromarray(colour), int(rng.integers(*QUALITIES))), "".join(str(scans.labels[place]) for place in places)


def _print_lines(paper: Paper, rng: np.random.Generator) -> Levels:
    """A sheet ``float32[H,W]`` of 1 with printed lines, thin and lighter than ink."""
    image = Image.new("L", SIZE, 255)
    draw, level, pitch = ImageDraw.Draw(image), round(255 * rng.uniform(*PRINT)), int(rng.integers(*PITCHES))
    if paper != "blank":
        for y in range(int(rng.integers(pitch)), SIZE[1], pitch):
            draw.line((0, y, SIZE[0], y), fill=level, width=2)
    if paper == "squared":
        for x in range(int(rng.integers(pitch)), SIZE[0], pitch):
            draw.line((x, 0, x, SIZE[1]), fill=level, width=2)
    share: Levels = np.asarray(image, dtype=np.float32) / np.float32(255)
    return share


def _tilt(sheet: Levels, rng: np.random.Generator) -> Levels:
    """The sheet as a camera sees it that is not quite above it; the table around it is dark where it shows."""
    width, height = SIZE
    corners = np.array([(0, 0), (0, height), (width, height), (width, 0)], dtype=np.float64)
    quad = corners + rng.uniform(-TILT, TILT, (4, 2)) * (width, height)
    shown = Image.fromarray(sheet).transform(
        SIZE, Image.Transform.QUAD, quad.ravel().tolist(), Image.Resampling.BILINEAR, fillcolor=0.25
    )
    return np.asarray(shown, dtype=np.float32)


def _shadow(rng: np.random.Generator) -> Levels:
    """The share of light at each pixel: a soft shadow from one side, or light that falls off."""
    width, height = SIZE
    angle = rng.uniform(0, 2 * np.pi)
    xs, ys = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    along = np.cos(angle) * xs + np.sin(angle) * ys
    depth, softness = 1 - rng.uniform(*SHADOWS), rng.uniform(0.15, 1.0)
    return np.asarray(1 - depth / (1 + np.exp(-(along - rng.uniform(-0.5, 0.5)) / softness * 4)), dtype=np.float32)
