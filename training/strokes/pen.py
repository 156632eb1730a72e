"""A hand and a pen: strokes are slanted, bent and shaken, then drawn on a canvas with a round brush."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from training.strokes.curves import Path

# Brush width as a share of the digit's height: a 6-pixel line on a 240-pixel digit to a 32-pixel one on a 130-pixel digit.
THINNEST: Final = 0.02
THICKEST: Final = 0.2
CANVASES: Final = (16, 320)
OVERSAMPLING: Final = 3


@dataclass(frozen=True, slots=True)
class Hand:
    """How one person writes: proportions, slant and unsteadiness, the same for all strokes of a digit."""

    width: float
    slant: float
    turn: float
    warp: float
    tremor: float

    @classmethod
    def of(cls, random: np.random.Generator) -> "Hand":
        """Somebody."""
        shaky = random.random() < 0.35
        return cls(
            width=float(np.exp(random.normal(0, 0.22))),
            slant=float(random.normal(0.08, 0.17)),
            turn=float(np.deg2rad(random.normal(0, 7))),
            warp=float(abs(random.normal(0, 0.03))),
            tremor=float(random.uniform(0.003, 0.015)) if shaky else 0.0,
        )

    def write(self, paths: list[Path], random: np.random.Generator) -> list[Path]:
        """The strokes as this hand leaves them."""
        shape = np.array([[self.width, 0.0], [-self.slant, 1.0]])
        rotation = np.array([[np.cos(self.turn), np.sin(self.turn)], [-np.sin(self.turn), np.cos(self.turn)]])
        waves = random.normal(0, self.warp, (2, 2, 2))
        phases = random.uniform(0, 2 * np.pi, (2, 2))
        written = []
        for path in paths:
            # The paper is bent as a whole, so that strokes which meet still meet.
            bent = path.copy()
            for axis in (0, 1):
                for order in (0, 1):
                    bent += waves[axis, order] * np.sin((order + 1) * np.pi * path[:, axis : axis + 1] + phases[axis, order])
            written.append((bent @ shape @ rotation) + _shake(len(path), self.tremor, random))
        return written


def picture(paths: list[Path], random: np.random.Generator) -> Image.Image:
    """Strokes (one digit high) on a canvas: mode "L", white on black, antialiased, any place and size, any brush."""
    written = Hand.of(random).write(paths, random)
    if random.random() < 0.25:
        # A mouse moved fast reports few places: the curve becomes a polygon.
        every = int(random.integers(2, 6))
        written = [np.concatenate((path[:-1:every], path[-1:])) for path in written]
    brush = float(np.exp(random.uniform(np.log(THINNEST), np.log(THICKEST))))
    side = float(np.exp(random.uniform(np.log(CANVASES[0]), np.log(CANVASES[1]))))
    if random.random() < 0.5:
        side = random.uniform(100, 300)
    return render(written, side, max(brush * side * 0.75, 1.0), random)


def render(paths: list[Path], side: float, brush: float, random: np.random.Generator) -> Image.Image:
    """Strokes drawn with a round brush of ``brush`` pixels on a canvas about ``side`` pixels wide, with room about them."""
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = side * random.uniform(0.55, 0.85) / max(float((high - low).max()), 1e-6)
    margin = random.uniform(0.02, 0.2, 2) * side + brush / 2 + 1
    width, height = np.ceil((high - low) * scale + 2 * margin).astype(int).tolist()
    canvas = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    pen = ImageDraw.Draw(canvas)
    radius = brush * OVERSAMPLING / 2
    lift = random.uniform(0.8, 1.0) if random.random() < 0.25 else 1.0
    for path in paths:
        dots = ((path - low) * scale + margin) * OVERSAMPLING
        thin = radius * (1 if path is paths[0] else lift)
        pen.line([(float(x), float(y)) for x, y in dots], fill=255, width=max(1, round(2 * thin)), joint="curve")
        for x, y in dots[[0, -1]]:
            pen.ellipse((x - thin, y - thin, x + thin, y + thin), fill=255)
    return canvas.reduce(OVERSAMPLING)


def _shake(length: int, tremor: float, random: np.random.Generator) -> Path:
    if tremor == 0 or length < 3:
        return np.zeros((length, 2))
    noise = random.normal(0, 1, (length + 2, 2))
    return np.asarray(tremor * (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3))
