"""Counts the separate characters in ink from its connected components.

A character often has several components: the dot of an i, the bar of a 5, a broken 8. Two components are two characters only
where both have about the size of the largest, neither is a dot or a bar, and they lie side by side, one above the other or far
apart, with blank paper between them.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from preprocessing.connected_components import Component, Labels, find_components, is_connected
from preprocessing.main_ink import MIN_PEAK
from preprocessing.pixels import Box, Grey, to_array, to_image

# A component is a character, or most of one, if its longer side and its mass are at least these shares of the largest ones, and
# its height is at least this share of its width. Smaller or flatter ones are dots, bars or lines.
MIN_SIZE: Final = 0.5
MIN_MASS: Final = 0.1
MIN_ASPECT: Final = 0.35
# A component that fills this share of its box, with a ratio of the sides of at least this, is a dot, however large it is.
DOT_FILL: Final = 0.7
DOT_ASPECT: Final = 0.6
# The minimal gap between two characters that are side by side, slanted side by side, one above the other, or anywhere: as
# shares of the larger one's longer side.
GAP_ACROSS: Final = 0.04
GAP_SLANTED: Final = 0.08
GAP_DOWN: Final = 0.08
GAP_ANYWHERE: Final = 0.5
# Components side by side have this share of the lower one's rows in common.
ALIGNED: Final = 0.5
# Characters one above the other have similar sizes, unlike an i and its dot, and are not as flat as the halves of a broken 3.
MIN_SIZE_RATIO: Final = 0.7
MIN_ASPECT_DOWN: Final = 0.5
# A bar that fills this share of a gap joins both sides of it, as in an H.
BRIDGED: Final = 0.6
# The rows that are tested first, in sixteenths of the height; the cells along the longer side of the grid that is tested next,
# and the mean level above which a cell is inked.
MIDDLE_ROWS: Final = (8, 5, 11, 4, 6, 10, 12)
GRID: Final = 32
MIN_CELL_LEVEL: Final = 32
# At most this many components, the heaviest, are examined, which bounds the work for a page of text.
MAX_CHARACTERS: Final = 20


def count_slanted_characters(ink: Grey, box: Box, noise: float) -> int:
    """Count the separate characters in ink whose box has no blank column or row, as ``count_characters`` does.

    Only slanted neighbours can be separate there. Two cheap tests come first and nearly always show that there is one
    character: a middle row that is a single run, and a coarse grid that is connected.
    """
    left, top, right, bottom = box
    height = bottom - top
    for row in MIDDLE_ROWS:
        if b"\0" not in ink[top + height * row // 16, left:right].tobytes().strip(b"\0"):
            return 1
    crop = ink[top:bottom, left:right]
    if is_connected(_reduced(crop) > MIN_CELL_LEVEL):
        return 1
    components, labels = find_components(crop > noise, crop)
    return count_characters([component for component in components if component.peak >= MIN_PEAK], labels)


def _reduced(crop: Grey) -> Grey:
    """Ink averaged to at most ``GRID`` cells a side; for large ink every second pixel is enough."""
    step = -(-max(crop.shape) // GRID)
    if step == 1:
        return crop
    skipped = 2 if step > 2 else 1
    return to_array(to_image(crop[::skipped, ::skipped]).reduce(-(-step // skipped)))


def count_characters(components: Sequence[Component], labels: Labels) -> int:
    """Count the separate characters among components: at least 1, at most ``MAX_CHARACTERS``.

    ``labels`` ``int32[H,W]`` has the label of the component of every pixel.
    """
    if len(components) < 2:
        return 1
    size = max((_size(component) for component in components if not _is_flat(component)), default=0)
    mass = max(component.mass for component in components)
    bodies: list[Component] = []
    bars: list[Component] = []
    for component in sorted(components, key=lambda component: -component.mass)[:MAX_CHARACTERS]:
        is_body = _size(component) >= MIN_SIZE * size and component.mass >= MIN_MASS * mass
        (bodies if is_body and not _is_flat(component) and not _is_dot(component) else bars).append(component)
    separate = [(i, j) for i, j in combinations(range(len(bodies)), 2) if _are_separate(bodies[i], bodies[j], bars, labels)]
    return _largest_group(len(bodies), {*separate, *((j, i) for i, j in separate)}) if separate else 1


def _largest_group(count: int, separate: set[tuple[int, int]]) -> int:
    """The size of the largest group of components that are pairwise ``separate``, searched greedily from each of them."""
    most = 0
    for first in range(count):
        group = [first]
        group += [index for index in range(count) if all((index, other) in separate for other in group)]
        most = max(most, len(group))
    return most


def _are_separate(component: Component, other: Component, bars: Sequence[Component], labels: Labels) -> bool:
    """Whether two components are two characters; ``bars`` are the components that are not characters by themselves."""
    small, large = sorted((_size(component), _size(other)))
    low = min(_height(component), _height(other))
    across, down = _gap(component, other, 0), _gap(component, other, 1)
    if max(across, down) > GAP_ANYWHERE * large or (across > GAP_ACROSS * large and -down >= ALIGNED * low):
        return not _are_joined(component, other, bars)
    if -down >= ALIGNED * low and _slanted_gap(component, other, labels) > GAP_SLANTED * large:
        return True
    wide = max(_width(component), _width(other))
    return down > GAP_DOWN * large and small >= MIN_SIZE_RATIO * large and low >= MIN_ASPECT_DOWN * wide


def _slanted_gap(component: Component, other: Component, labels: Labels) -> int:
    """The smallest gap in any row between two components of which one is right of the other in every row; else 0 or less."""
    left, right = sorted((component, other), key=lambda one: one.box[0] + one.box[2])
    rows = labels[max(left.box[1], right.box[1]) : min(left.box[3], right.box[3])]
    ends = rows.shape[1] - (rows[:, ::-1] == left.label).argmax(axis=1)
    starts = (rows == right.label).argmax(axis=1)
    return int((starts - ends).min())


def _are_joined(component: Component, other: Component, bars: Sequence[Component]) -> bool:
    """Whether bars fill most of the columns between two components side by side, in rows that both have."""
    left, right = sorted((component.box, other.box))
    top, bottom = max(left[1], right[1]), min(left[3], right[3])
    crossing = [bar.box for bar in bars if bar.box[1] < bottom and bar.box[3] > top]
    taken = sum(max(0, min(box[2], right[0]) - max(box[0], left[2])) for box in crossing)
    return taken >= BRIDGED * (right[0] - left[2]) > 0


def _gap(component: Component, other: Component, axis: int) -> int:
    """The columns (axis 0) or rows (axis 1) between two boxes; negative where they overlap."""
    return max(component.box[axis], other.box[axis]) - min(component.box[axis + 2], other.box[axis + 2])


def _is_flat(component: Component) -> bool:
    return _height(component) < MIN_ASPECT * _width(component)


def _is_dot(component: Component) -> bool:
    short, long = sorted((_width(component), _height(component)))
    return short >= DOT_ASPECT * long and component.mass >= DOT_FILL * component.peak * short * long


def _size(component: Component) -> int:
    return max(_width(component), _height(component))


def _width(component: Component) -> int:
    return component.box[2] - component.box[0]


def _height(component: Component) -> int:
    return component.box[3] - component.box[1]
