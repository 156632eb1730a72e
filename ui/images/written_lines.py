"""Puts drawings of single characters side by side, as somebody writes lines of text on a sheet."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ui.images.polyline import Polyline, Size

# A character is at most this large, compared with one that fills the square sheet.
MAX_SCALE: Final = 0.8
# Between two characters and between two lines, in pixels of the square sheet.
GAP: Final = 45
LEADING: Final = 60
# Around all of them, in pixels of the sheet they are written on.
MARGIN: Final = 30

Character = Sequence[Polyline]


def write_lines(lines: Sequence[Sequence[Character]], size: Size, width: int) -> tuple[Polyline, ...]:
    """Return the strokes of lines of characters, scaled to fit and in the middle of a sheet of this size, with a pen of `width`
    pixels. No line and no character is empty."""
    boxes = [[_box(character) for character in line] for line in lines]
    widths = [sum(right - left for left, _, right, _ in line) + GAP * (len(line) - 1) for line in boxes]
    heights = [max(bottom - top for _, top, _, bottom in line) for line in boxes]
    total = sum(heights) + LEADING * (len(lines) - 1)
    room = size[0] - 2 * MARGIN, size[1] - 2 * MARGIN
    scale = min(MAX_SCALE, room[0] / (max(widths) or 1), room[1] / (total or 1))
    strokes: list[Polyline] = []
    y = (size[1] - total * scale) / 2
    for line, line_boxes, line_width, height in zip(lines, boxes, widths, heights, strict=True):
        x = (size[0] - line_width * scale) / 2
        for character, (left, top, right, bottom) in zip(line, line_boxes, strict=True):
            down = y + (height - (bottom - top)) * scale  # all stand on the line
            strokes += [_moved(stroke, scale, x - left * scale, down - top * scale, width) for stroke in character]
            x += (right - left + GAP) * scale
        y += (height + LEADING) * scale
    return tuple(strokes)


def _box(character: Character) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the points of a character."""
    xs, ys = zip(*(point for stroke in character for point in stroke.points), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _moved(stroke: Polyline, scale: float, right: float, down: float, width: int) -> Polyline:
    points = tuple((round(x * scale + right), round(y * scale + down)) for x, y in stroke.points)
    return replace(stroke, points=points, width=width)
