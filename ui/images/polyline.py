"""Strokes as points, in pixels of the sheet, and pictures of them that equal those of the browser's canvas."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import dist
from typing import Final

from PIL import Image, ImageDraw

Point = tuple[float, float]

# Width and height of the sheet in pixels of the picture, however large the page shows it.
Size = tuple[int, int]
SIDE: Final = 280
SQUARE_SHEET: Final[Size] = (SIDE, SIDE)
# The picture is drawn this many times larger and reduced, because Pillow draws without smoothing.
SCALE: Final = 4
# Points in which each quadratic curve is drawn.
CURVE_POINTS: Final = 6


@dataclass(frozen=True, slots=True)
class Polyline:
    """One stroke of the pen: the points it passed, its width in pixels, and its colour as `#rrggbb`."""

    points: tuple[tuple[int, int], ...]
    width: int
    colour: str

    def curve(self) -> list[Point]:
        """Return the smooth line that the canvas draws: quadratic curves between the middles of the segments."""
        points: list[Point] = list(self.points)
        if len(points) < 3:
            return points
        middles = [((x1 + x2) / 2, (y1 + y2) / 2) for (x1, y1), (x2, y2) in pairwise(points)]
        curve = points[:1]
        for start, control, end in zip(middles, points[1:-1], middles[1:], strict=False):
            curve += [_quadratic(start, control, end, number / CURVE_POINTS) for number in range(CURVE_POINTS + 1)]
        return [*curve, points[-1]]


def render(strokes: Sequence[Polyline], background: str, size: Size = SQUARE_SHEET) -> bytes:
    """Return the PNG of a drawing on a sheet of this size."""
    *_, last = render_steps(strokes, background, 1, size)
    return last


def render_steps(strokes: Sequence[Polyline], background: str, count: int, size: Size = SQUARE_SHEET) -> Iterator[bytes]:
    """Yield `count` PNGs of a drawing while it grows at constant speed; the last one shows all of it."""
    image = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), background)
    draw = ImageDraw.Draw(image)
    segments = [(stroke, *ends) for stroke in strokes for ends in _segments(stroke.curve())]
    total = sum(_length(start, end) for _, start, end in segments)
    drawn, step = 0.0, 1
    for stroke, start, end in segments:
        length = _length(start, end)
        while step < count and drawn + length > total * step / count:
            cut = _between(start, end, (total * step / count - drawn) / length)
            _draw_line(draw, stroke, start, cut)
            yield _png(image)
            step += 1
        _draw_line(draw, stroke, start, end)
        drawn += length
    for _ in range(step, count + 1):
        yield _png(image)


def line_length(points: Sequence[Point]) -> float:
    """Return the length of a line in pixels; that of a dot is 1, so that drawing it takes some time, too."""
    return sum(_length(start, end) for start, end in _segments(points))


def svg_path(points: Sequence[Point]) -> str:
    """Return the path of an SVG through these points; a dot is a line without length, which its round ends make visible."""
    commands = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{commands}" if len(points) > 1 else f"M{commands}h.01"


def _segments(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    return [(points[0], points[0])] if len(points) == 1 else list(pairwise(points))


def _length(start: Point, end: Point) -> float:
    return dist(start, end) or 1.0


def _between(start: Point, end: Point, fraction: float) -> Point:
    return start[0] + (end[0] - start[0]) * fraction, start[1] + (end[1] - start[1]) * fraction


def _quadratic(start: Point, control: Point, end: Point, fraction: float) -> Point:
    return _between(_between(start, control, fraction), _between(control, end, fraction), fraction)


def _draw_line(draw: ImageDraw.ImageDraw, stroke: Polyline, start: Point, end: Point) -> None:
    (x1, y1), (x2, y2) = ((x * SCALE, y * SCALE) for x, y in (start, end))
    draw.line((x1, y1, x2, y2), stroke.colour, stroke.width * SCALE)
    radius = stroke.width * SCALE / 2
    for x, y in ((x1, y1), (x2, y2)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), stroke.colour)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.reduce(SCALE).save(file, "PNG", compress_level=1)
    return file.getvalue()
