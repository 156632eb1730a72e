"""Draws strokes with a random handwriting (slant, distortion, tremor) and a round brush."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from training.rendering.strokes.curves import Path

# Brush width as a share of the character's height: a 6-pixel line on a 240-pixel digit to a 32-pixel one on a 130-pixel digit.
THINNEST: Final = 0.02
THICKEST: Final = 0.2
CANVASES: Final = (16, 320)
OVERSAMPLING: Final = 3


@dataclass(frozen=True, slots=True)
class Handwriting:
    """A handwriting: proportions, slant, rotation, distortion and tremor, the same for all strokes of a character."""

    width: float
    slant: float
    rotation: float
    warp: float
    tremor: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Handwriting":
        """Sample a random handwriting."""
        shaky = rng.random() < 0.35
        return cls(
            width=float(np.exp(rng.normal(0, 0.22))),
            slant=float(rng.normal(0.08, 0.17)),
            rotation=float(np.deg2rad(rng.normal(0, 7))),
            warp=float(abs(rng.normal(0, 0.03))),
            tremor=float(rng.uniform(0.003, 0.015)) if shaky else 0.0,
        )

    def write(self, paths: list[Path], rng: np.random.Generator) -> list[Path]:
        """Transform strokes into this handwriting."""
        shape = np.array([[self.width, 0.0], [-self.slant, 1.0]])
        rotate = np.array([[np.cos(self.rotation), np.sin(self.rotation)], [-np.sin(self.rotation), np.cos(self.rotation)]])
        waves = rng.normal(0, self.warp, (2, 2, 2))
        phases = rng.uniform(0, 2 * np.pi, (2, 2))
        written = []
        for path in paths:
            # The whole plane is distorted, so that strokes that meet still meet.
            bent = path.copy()
            for axis in (0, 1):
                for order in (0, 1):
                    bent += waves[axis, order] * np.sin((order + 1) * np.pi * path[:, axis : axis + 1] + phases[axis, order])
            written.append((bent @ shape @ rotate) + _tremor(len(path), self.tremor, rng))
        return written


def draw_strokes(paths: list[Path], rng: np.random.Generator) -> Image.Image:
    """Draw strokes 1 high with a random handwriting, brush and size: mode "L", white on black, antialiased."""
    written = Handwriting.sample(rng).write(paths, rng)
    if rng.random() < 0.25:
        # A mouse that moves fast reports few points: the curve becomes a polygon.
        every = int(rng.integers(2, 6))
        written = [np.concatenate((path[:-1:every], path[-1:])) for path in written]
    brush = float(np.exp(rng.uniform(np.log(THINNEST), np.log(THICKEST))))
    side = float(np.exp(rng.uniform(np.log(CANVASES[0]), np.log(CANVASES[1]))))
    if rng.random() < 0.5:
        side = rng.uniform(100, 300)
    return render_paths(written, side, max(brush * side * 0.75, 1.0), rng)


def render_paths(paths: list[Path], side: float, brush: float, rng: np.random.Generator) -> Image.Image:
    """Draw strokes with a round brush of ``brush`` pixels on a canvas about ``side`` pixels wide, with a margin."""
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = side * rng.uniform(0.55, 0.85) / max(float((high - low).max()), 1e-6)
    margin = rng.uniform(0.02, 0.2, 2) * side + brush / 2 + 1
    width, height = np.ceil((high - low) * scale + 2 * margin).astype(int).tolist()
    canvas = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    draw = ImageDraw.Draw(canvas)
    radius = brush * OVERSAMPLING / 2
    lift = rng.uniform(0.8, 1.0) if rng.random() < 0.25 else 1.0
    for path in paths:
        dots = ((path - low) * scale + margin) * OVERSAMPLING
        thin = radius * (1 if path is paths[0] else lift)
        draw.line([(float(x), float(y)) for x, y in dots], fill=255, width=max(1, round(2 * thin)), joint="curve")
        for x, y in dots[[0, -1]]:
            draw.ellipse((x - thin, y - thin, x + thin, y + thin), fill=255)
    return canvas.reduce(OVERSAMPLING)


def _tremor(length: int, tremor: float, rng: np.random.Generator) -> Path:
    if tremor == 0 or length < 3:
        return np.zeros((length, 2))
    noise = rng.normal(0, 1, (length + 2, 2))
    return np.asarray(tremor * (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3))
