"""A drawing as text for a link.

The text is base64url of: a version byte, the background, the size of the sheet if it is not the square one, the strokes, and
the last two bytes of the CRC-32 of all that. A stroke is its width, its colour and the number of its points, which follow as
differences to the point before. Numbers have a variable length.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import dist
from typing import Final

from ui.images.polyline import SQUARE_SHEET, Polyline, Size

# Without the size of the sheet, which is the square one; and with it.
VERSION: Final = 1
SIZED_VERSION: Final = 2
# Longer links are cut by some programs.
MAX_TEXT: Final = 4_000
MAX_STROKES: Final = 500
# Pixels of the longer side of the largest sheet.
MAX_SIDE: Final = 1_120
MAX_WIDTH: Final = 255
# Points that are closer than this to the line without them, in pixels, are left out of a drawing that is too long otherwise.
TOLERANCES: Final = (0.5, 1.0, 1.5, 2.0, 3.0)
_CHECKSUM_BYTES: Final = 2


class DrawingTooLong(Exception):
    """The drawing has too many points for a link."""


class DamagedDrawing(Exception):
    """The text of a link is no drawing, for instance because the end of it is missing."""


@dataclass(frozen=True, slots=True)
class SharedDrawing:
    """What a link carries: strokes, oldest first, the background colour as `#rrggbb`, and the size of the sheet."""

    strokes: tuple[Polyline, ...]
    background: str
    size: Size = SQUARE_SHEET


def encode(drawing: SharedDrawing) -> str:
    """Return the text of a drawing, of at most `MAX_TEXT` characters. Where it would be longer, points are left out.

    Raises:
        DrawingTooLong: it is longer even with few points.
    """
    for tolerance in (0.0, *TOLERANCES):
        thinned = [replace(stroke, points=thin(stroke.points, tolerance)) for stroke in drawing.strokes]
        text = _to_text(_pack(replace(drawing, strokes=tuple(thinned))))
        if len(text) <= MAX_TEXT and len(thinned) <= MAX_STROKES:
            return text
    raise DrawingTooLong


def decode(text: str) -> SharedDrawing:
    """Return the drawing of a text, which may come from anybody.

    Raises:
        DamagedDrawing: the text is not one that `encode` returns.
    """
    if len(text) > MAX_TEXT or not text.isascii():
        raise DamagedDrawing
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise DamagedDrawing from error
    content, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if checksum != _checksum(content):
        raise DamagedDrawing
    return unpack(content)


def unpack(content: bytes) -> SharedDrawing:
    """Return the drawing of the decoded bytes of a text without their checksum.

    Raises:
        DamagedDrawing: the bytes are no drawing, or exceed a limit.
    """
    data = iter(content)
    version = next(data, None)
    if version not in (VERSION, SIZED_VERSION):
        raise DamagedDrawing
    try:
        background = _read_colour(data)
        size = SQUARE_SHEET if version == VERSION else (_read_number(data), _read_number(data))
        if not all(0 < side <= MAX_SIDE for side in size):
            raise DamagedDrawing
        count = _read_number(data)
        if count > MAX_STROKES:
            raise DamagedDrawing
        strokes = [_read_stroke(data, len(content), size) for _ in range(count)]
    except StopIteration as error:
        raise DamagedDrawing from error
    if next(data, None) is not None:
        raise DamagedDrawing
    return SharedDrawing(tuple(strokes), background, size)


def thin(points: tuple[tuple[int, int], ...], tolerance: float) -> tuple[tuple[int, int], ...]:
    """Leave out points that are at most `tolerance` pixels from the line without them (Douglas-Peucker); with 0, none."""
    if not tolerance or len(points) < 3:
        return points
    remaining = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        distances = [_distance(points[index], points[first], points[last]) for index in range(first + 1, last)]
        if distances and max(distances) > tolerance:
            middle = first + 1 + distances.index(max(distances))
            remaining.add(middle)
            spans += [(first, middle), (middle, last)]
    return tuple(points[index] for index in sorted(remaining))


def _distance(point: tuple[int, int], start: tuple[int, int], end: tuple[int, int]) -> float:
    """Return the distance of a point from the segment between two others."""
    length = dist(start, end)
    if not length:
        return dist(point, start)
    along = ((point[0] - start[0]) * (end[0] - start[0]) + (point[1] - start[1]) * (end[1] - start[1])) / length**2
    along = min(max(along, 0.0), 1.0)
    return dist(point, (start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])))


def within(value: int, side: int) -> int:
    """Return a coordinate that is outside of the sheet by its size at most: a stroke may leave it."""
    return min(max(value, -side), 2 * side)


def _pack(drawing: SharedDrawing) -> bytes:
    square = drawing.size == SQUARE_SHEET
    data = bytearray([VERSION if square else SIZED_VERSION]) + bytes.fromhex(drawing.background[1:])
    for side in () if square else drawing.size:
        _write_number(data, side)
    _write_number(data, len(drawing.strokes))
    for stroke in drawing.strokes:
        data.append(min(max(stroke.width, 1), MAX_WIDTH))
        data += bytes.fromhex(stroke.colour[1:])
        _write_number(data, len(stroke.points))
        previous = 0, 0
        for point in stroke.points:
            x, y = map(within, point, drawing.size)
            for difference in (x - previous[0], y - previous[1]):
                _write_number(data, difference * 2 if difference >= 0 else -difference * 2 - 1)
            previous = x, y
    return bytes(data)


def _read_stroke(data: Iterator[int], most_points: int, size: Size) -> Polyline:
    width, colour, count = next(data), _read_colour(data), _read_number(data)
    if not width or not 1 <= count <= most_points:
        raise DamagedDrawing
    x = y = 0
    points = []
    for _ in range(count):
        x, y = x + _read_difference(data), y + _read_difference(data)
        if (x, y) != tuple(map(within, (x, y), size)):
            raise DamagedDrawing
        points.append((x, y))
    return Polyline(tuple(points), width, colour)


def _write_number(data: bytearray, number: int) -> None:
    """Write seven bits a byte, the lowest first; the highest bit says that another byte follows."""
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)


def _read_number(data: Iterator[int]) -> int:
    number = 0
    for shift in (0, 7, 14):
        byte = next(data)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number
    raise DamagedDrawing


def _read_difference(data: Iterator[int]) -> int:
    number = _read_number(data)
    return -(number + 1) // 2 if number % 2 else number // 2


def _read_colour(data: Iterator[int]) -> str:
    return f"#{next(data):02x}{next(data):02x}{next(data):02x}"


def _checksum(content: bytes) -> bytes:
    return crc32(content).to_bytes(4, "big")[-_CHECKSUM_BYTES:]


def _to_text(content: bytes) -> str:
    return urlsafe_b64encode(content + _checksum(content)).rstrip(b"=").decode("ascii")
