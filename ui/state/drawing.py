"""Data of the drawing canvas: strokes, the pen, and what the page puts on the canvas."""

from dataclasses import dataclass, field
from typing import Any

# Fabric.js's description of one stroke: a path, its colour and its width.
Stroke = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pen:
    """Stroke width in pixels, and the colours of ink and background as `#rrggbb`."""

    width: int = 20
    ink: str = "#000000"
    # White in both themes: the colour is part of the picture.
    background: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the canvas reports: its strokes, oldest first, and the PNG, or None while nothing is drawn."""

    png: bytes | None = None
    strokes: tuple[Stroke, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class CanvasContent:
    """What the page puts on the canvas. A new `revision` replaces everything drawn since the previous one."""

    strokes: tuple[Stroke, ...] = ()
    revision: int = 0


def recolour(strokes: tuple[Stroke, ...], ink: str) -> tuple[Stroke, ...]:
    """Return the same strokes in another ink colour."""
    return tuple({**stroke, "stroke": ink} for stroke in strokes)


def starts_with(strokes: tuple[Stroke, ...], prefix: tuple[Stroke, ...]) -> bool:
    """Return whether the first strokes equal `prefix` in path and colour."""
    if len(prefix) > len(strokes):
        return False
    return all(_path_and_colour(one) == _path_and_colour(other) for one, other in zip(strokes, prefix, strict=False))


def same_strokes(one: tuple[Stroke, ...], other: tuple[Stroke, ...]) -> bool:
    """Return whether both have the same strokes in path and colour."""
    return len(one) == len(other) and starts_with(one, other)


def _path_and_colour(stroke: Stroke) -> tuple[Any, Any]:
    return stroke.get("path"), stroke.get("stroke")
