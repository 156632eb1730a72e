"""Draws strokes with a random handwriting and a round brush whose pressure varies."""

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from training.rendering.strokes.curves import Path
from training.rendering.strokes.handwriting import Handwriting

# Brush width as a share of the character's height: a 6-pixel line on a 240-pixel digit to a 32-pixel one on a 130-pixel digit.
THINNEST: Final = 0.02
THICKEST: Final = 0.2
CANVASES: Final = (16, 320)
OVERSAMPLING: Final = 3
# Shares of the characters whose later strokes are faint, and whose pen is pressed unevenly.
FAINT: Final = 0.06
PRESSED: Final = 0.25


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
    lift, level = _later_strokes(rng)
    pressure = rng.uniform(0.1, 0.5) if rng.random() < PRESSED else 0.0
    for path in paths:
        dots = ((path - low) * scale + margin) * OVERSAMPLING
        thin, fill = (radius, 255) if path is paths[0] else (radius * lift, level)
        if pressure:
            _draw_pressed(draw, dots, thin, pressure, fill, rng)
            continue
        draw.line([(float(x), float(y)) for x, y in dots], fill=fill, width=max(1, round(2 * thin)), joint="curve")
        for x, y in dots[[0, -1]]:
            draw.ellipse((x - thin, y - thin, x + thin, y + thin), fill=fill)
    return canvas.reduce(OVERSAMPLING)


def _later_strokes(rng: np.random.Generator) -> tuple[float, int]:
    """How thick, relative to the first, and how strong (0 to 255) the second and later strokes are: some pens fail."""
    kind = rng.random()
    if kind < FAINT:
        return rng.uniform(0.4, 1.0), int(rng.integers(50, 170))
    return (rng.uniform(0.8, 1.0) if kind < FAINT + 0.25 else 1.0), 255


def _draw_pressed(
    draw: ImageDraw.ImageDraw, dots: Path, radius: float, pressure: float, fill: int, rng: np.random.Generator
) -> None:
    """Draw a stroke whose radius varies along it by ``pressure``, a share of ``radius``."""
    along = np.concatenate(([0], np.cumsum(np.hypot(*np.diff(dots, axis=0).T))))
    places = np.arange(0, along[-1] + 1, max(1.0, radius / 4))
    waves = np.sin(places / max(along[-1], 1) * np.pi * rng.uniform(0.5, 3) + rng.uniform(0, 2 * np.pi))
    radii = np.maximum(radius * (1 + pressure * waves), 0.5)
    xs, ys = (np.interp(places, along, dots[:, axis]) for axis in (0, 1))
    for x, y, r in zip(xs.tolist(), ys.tolist(), radii.tolist(), strict=True):
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
