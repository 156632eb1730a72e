"""Groups the components of a page into characters, and characters into lines in reading order.

A line is followed from character to character, so that it may rise, fall and sag.
"""

from collections.abc import Sequence
from typing import Final

from preprocessing.connected_components import Component, union_box
from preprocessing.pixels import Box

# Components of at least this share of the tallest one's height are usual, and the body of a character has at least this share
# of their median height. Others are dots, bars and specks.
USUAL: Final = 0.25
MIN_BODY: Final = 0.45
# A body is at least this high for its width; flatter ones are bars.
MIN_ASPECT: Final = 0.35
# Two neighbours in a line have this share of the lower one's rows in common.
MIN_COMMON_ROWS: Final = 0.35
# Components of which one covers this share of the narrower one's columns are one character: halves one above the other, and, of
# two that are both tall, one within the columns of the other.
COMMON_COLUMNS: Final = 0.5
COMMON_COLUMNS_TALL: Final = 0.8
# Halves of a character lie at most this share of the larger one's side apart, and are not higher together than this many usual
# characters.
GAP_DOWN: Final = 0.12
MAX_TOGETHER: Final = 1.4
TALL: Final = 0.7
# Parts of a broken character begin one line if this share of the rows of each is beside the next character.
COVERED: Final = 0.65
# A mark belongs to the character that it shares this share of its columns with, within this many usual heights.
MARK_COLUMNS: Final = 0.5
MARK_REACH: Final = 0.5

Group = list[Component]
"""The components of a character."""


def find_text_lines(components: Sequence[Component]) -> list[list[Group]]:
    """The characters of each line, from the left; lines from the top. Marks that belong to no character are left out."""
    heights = sorted(height_of(one.box) for one in components)
    usual = [height for height in heights if height >= USUAL * heights[-1]]
    height = usual[len(usual) // 2]
    bodies: Group = []
    marks: Group = []
    for one in components:
        tall, wide = height_of(one.box), one.box[2] - one.box[0]
        (bodies if tall >= MIN_BODY * height and tall >= MIN_ASPECT * wide else marks).append(one)
    if not bodies:
        return [[list(components)]]
    groups = _join(bodies, height)
    lines = _chain(groups)
    for mark in marks:
        _attach(mark, groups, MARK_REACH * height)
    return lines


def _join(bodies: Sequence[Component], height: int) -> list[Group]:
    """The bodies as groups of those that are parts of one character, sorted by their middle column."""
    groups: list[Group] = []
    for body in sorted(bodies, key=lambda one: one.box[0] + one.box[2]):
        whole = next((group for group in groups[-4:] if _is_one(union_box(group), body.box, height)), None)
        if whole is None:
            groups.append([body])
        else:
            whole.append(body)
    return sorted(groups, key=lambda group: sum(union_box(group)[::2]))


def _is_one(box: Box, other: Box, height: int) -> bool:
    """Whether two boxes are of parts of one character."""
    narrow = min(box[2] - box[0], other[2] - other[0])
    columns = common(box, other, 0)
    low, high = sorted((height_of(box), height_of(other)))
    together = max(box[3], other[3]) - min(box[1], other[1])
    if together > MAX_TOGETHER * max(height, high if low < TALL * high else 0) and together > 1.1 * high:
        halves = low >= 0.6 * high and max(low, high) <= 1.1 * narrow
        return halves and columns >= COMMON_COLUMNS * narrow and -common(box, other, 1) <= GAP_DOWN * high
    if low >= TALL * high and common(box, other, 1) >= TALL * low:
        return columns >= COMMON_COLUMNS_TALL * narrow
    return columns >= COMMON_COLUMNS * narrow and -common(box, other, 1) <= GAP_DOWN * together


def _chain(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups, sorted from the left, as lines: each continues the line whose last character is beside it.

    A line that begins with a broken character begins as several, until a character beside its parts shows that they are one.
    """
    lines: list[list[Group]] = []
    ends: list[list[Box]] = []
    for group in groups:
        box = union_box(group)
        parts = [number for number, boxes in enumerate(ends) if len(boxes) == 1 and _covers(box, boxes[0])]
        for number in reversed(parts[1:]):
            lines[parts[0]] += lines.pop(number)
            ends[parts[0]] += ends.pop(number)
        best, most = None, 0.0
        for number, boxes in enumerate(ends):
            drift = _drift(boxes, box)
            top, bottom = min(last[1] for last in boxes[-2:]), max(last[3] for last in boxes[-2:])
            rows = min(bottom + drift, box[3]) - max(top + drift, box[1])
            share = rows / min(bottom - top, height_of(box))
            if share > max(most, MIN_COMMON_ROWS) or (share > MIN_COMMON_ROWS and share == most):
                best, most = number, share
        if best is None:
            lines.append([group])
            ends.append([box])
        else:
            lines[best].append(group)
            ends[best].append(box)
    middles = [sum(box[1] + box[3] for box in boxes) / len(boxes) for boxes in ends]
    return [lines[place] for place in sorted(range(len(lines)), key=middles.__getitem__)]


def _covers(box: Box, part: Box) -> bool:
    """Whether a box has most rows of another one."""
    return common(box, part, 1) >= COVERED * height_of(part)


def _drift(boxes: Sequence[Box], box: Box) -> float:
    """How far down a line with these boxes goes to the middle of another one, by its mean slope over a few characters."""
    first, last = boxes[max(0, len(boxes) - 4)], boxes[-1]
    across = (last[0] + last[2] - first[0] - first[2]) / 2
    if across <= 0:
        return 0.0
    slope = (last[3] + last[1] - first[3] - first[1]) / 2 / across
    return max(-0.35, min(0.35, slope)) * (box[0] + box[2] - last[0] - last[2]) / 2


def _attach(mark: Component, groups: Sequence[Group], reach: float) -> None:
    """Add a mark to the nearest character that shares most of its columns; without one, it is left out."""
    wide = mark.box[2] - mark.box[0]
    above = [group for group in groups if common(union_box(group), mark.box, 0) >= MARK_COLUMNS * wide]
    near = [group for group in above if mark.distance(union_box(group)) <= reach]
    if near:
        min(near, key=lambda group: mark.distance(union_box(group))).append(mark)


def common(box: Box, other: Box, axis: int) -> int:
    """Columns (axis 0) or rows (axis 1) that two boxes have in common; negative where there is a gap."""
    return min(box[axis + 2], other[axis + 2]) - max(box[axis], other[axis])


def height_of(box: Box) -> int:
    """The rows of a box."""
    return box[3] - box[1]
