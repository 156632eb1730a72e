"""Converts strokes between points and the paths of Fabric.js, which the canvas reads and reports."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from ui.images.polyline import Polyline
from ui.state.drawing import Stroke

# How far a dot is drawn to both sides, in widths of the stroke: browsers draw nothing along a path without length.
DOT_HALF_LENGTH: Final = 1e-3


def to_polylines(strokes: Iterable[Stroke]) -> tuple[Polyline, ...]:
    """Return the strokes with their points rounded to whole pixels."""
    return tuple(map(to_polyline, strokes))


def to_polyline(stroke: Stroke) -> Polyline:
    """Return one stroke of the canvas as points.

    The canvas's path has the points of the pen as the control points of quadratic curves that join the middles of the segments.
    """
    points: list[tuple[int, int]] = []
    for _command, x, y, *_end in stroke["path"]:
        point = round(x), round(y)
        if not points or point != points[-1]:
            points.append(point)
    return Polyline(tuple(points), round(stroke["strokeWidth"]), stroke["stroke"])


def to_stroke(line: Polyline) -> Stroke:
    """Return the stroke that the canvas draws, as it makes one of the same points itself."""
    return {
        "type": "Path",
        "path": _path(line),
        "fill": None,
        "stroke": line.colour,
        "strokeWidth": line.width,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _path(line: Polyline) -> list[list[Any]]:
    first, last = line.points[0], line.points[-1]
    if len(line.points) == 1:
        shift = line.width * DOT_HALF_LENGTH
        return [["M", first[0] - shift, first[1]], ["L", first[0] + shift, first[1]]]
    curves = [["Q", x1, y1, (x1 + x2) / 2, (y1 + y2) / 2] for (x1, y1), (x2, y2) in pairwise(line.points)]
    return [["M", *first], *curves, ["L", *last]]
