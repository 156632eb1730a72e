"""Selects the ink of the drawing, without specks, ruled lines, and shadows or frames along the edges."""

from typing import Final, NamedTuple

import numpy as np

from preprocessing.connected_components import (
    Component,
    LabelledComponents,
    Mask,
    dilate_mask,
    find_components,
    is_connected,
    union_box,
)
from preprocessing.pixels import Grey

# A row or column that is inked over this share of its length is a line or an edge, not a stroke.
LINE_COVER: Final = 0.88
# A smaller image is not searched for lines.
MIN_LINED: Final = 24
LINE_WIDTH: Final = 0.05  # of the image's side
EDGE_WIDTH: Final = 0.2
# Up to this many pixels, ``is_connected`` is faster than labelling.
SMALL: Final = 1024
# A component whose highest level is below this is noise.
MIN_PEAK: Final = 110
# Components beside the main one: heavy ones may lie a little way off, light ones only close by.
HEAVY: Final = 0.08
HEAVY_REACH: Final = 0.5
LIGHT: Final = 0.008
LIGHT_REACH: Final = 0.1
# A component at an edge that lies within this share of the side from it is a shadow or a frame.
EDGE: Final = 0.07


class MainInk(NamedTuple):
    """The ink of the main component and those that belong to it, and all components that could be characters.

    Candidates are given without lines and, where there are any, also with them, except for what touches an edge of the image:
    a straight 1 beside another digit looks like a line. Components too far from the main one are among the candidates.
    """

    ink: Grey
    candidates: list[LabelledComponents]


def extract_main_ink(ink: Grey, noise: float) -> MainInk | None:
    """The ink of the drawing without lines, edges and specks, or None if nothing is left.

    Levels up to ``noise`` are noise.
    """
    mask = ink > noise
    foreground = _without_lines(mask)
    if foreground.size <= SMALL and is_connected(foreground):
        kept = foreground
        if np.maximum.reduce(ink[foreground], initial=0) < MIN_PEAK:
            return None
        candidates = [LabelledComponents([], foreground.astype(np.int32))]
    else:
        components, labels = labelled = strong_components(foreground, ink)
        if not components:
            return None
        kept = np.isin(labels, [component.label for component in select_components(components)])
        candidates = [labelled]
    if foreground is not mask and np.count_nonzero(foreground) < np.count_nonzero(mask):
        components, labels = strong_components(mask, ink)
        inner = [component for component in components if not _touches_edge(component, ink.shape)]
        candidates.append(LabelledComponents(inner, labels))
    return MainInk(ink * dilate_mask(kept), candidates)


def _without_lines(mask: Mask) -> Mask:
    """The mask without lines; the mask itself where it has none, or would be empty."""
    if min(mask.shape) < MIN_LINED:
        return mask
    rest: Mask = mask & ~find_lines(mask) & ~find_lines(mask.T).T
    return rest if rest.any() else mask


def strong_components(foreground: Mask, ink: Grey) -> LabelledComponents:
    """The components of ``foreground`` that are neither noise nor a shadow along an edge."""
    components, labels = find_components(foreground, ink)
    strong = [component for component in components if component.peak >= MIN_PEAK]
    return LabelledComponents(without_edge_shadows(strong, ink.shape), labels)


def without_edge_shadows(components: list[Component], shape: tuple[int, ...]) -> list[Component]:
    """The components that are not a shadow or frame along an edge of the image; all of them where every one is."""
    return [component for component in components if not _lies_along_edge(component, shape)] or components


def select_components(components: list[Component]) -> list[Component]:
    """The heaviest of one or more components, and those that belong to it by mass and distance."""
    main, *others = sorted(components, key=lambda component: -component.mass)
    kept, box = [main], main.box
    size = max(box[2] - box[0], box[3] - box[1])
    for other in others:
        reach = HEAVY_REACH if other.mass >= HEAVY * main.mass else LIGHT_REACH if other.mass >= LIGHT * main.mass else -1
        if other.distance(box) <= reach * size:
            kept.append(other)
            box = union_box(kept)
    return kept


def find_lines(mask: Mask) -> Mask:
    """The pixels of ``bool[H,W]`` in horizontal lines from side to side, or in a dark band along the top or bottom.

    Where ink continues above or below a line, a stroke crosses it, and the crossing is kept.
    """
    height, width = mask.shape
    found = np.zeros_like(mask)
    if min(height, width) < MIN_LINED:
        return found
    margin = round(EDGE * width)
    thick = mask.copy()
    thick[1:] |= mask[:-1]
    thick[:-1] |= mask[1:]
    bands = _runs(thick.mean(axis=1) >= LINE_COVER)
    thin = [(start, end) for start, end in bands if end - start <= max(4, LINE_WIDTH * height)]
    for start, end in bands:
        beside: Mask = np.asarray(mask[max(0, start - 2) : start].any(axis=0) | mask[end : end + 2].any(axis=0))
        at_edge = (start <= 1 or end >= height - 1) and end - start <= EDGE_WIDTH * height
        if ((start, end) in thin and len(thin) > 1) or (at_edge and not beside[margin : width - margin].any()):
            found[start:end, ~beside] = True
    return found & mask


def _lies_along_edge(component: Component, shape: tuple[int, ...]) -> bool:
    height, width = shape
    left, top, right, bottom = component.box
    deep_x, deep_y = EDGE * width, EDGE * height
    vertical = right <= deep_x or left >= width - deep_x
    horizontal = bottom <= deep_y or top >= height - deep_y
    return _touches_edge(component, shape) and (vertical or horizontal)


def _touches_edge(component: Component, shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = component.box
    return left == 0 or top == 0 or right == shape[1] or bottom == shape[0]


def _runs(line: Mask) -> list[tuple[int, int]]:
    """Start and end of the runs of set pixels."""
    steps = np.diff(line.astype(np.int8), prepend=0, append=0)
    return list(zip(np.nonzero(steps == 1)[0].tolist(), np.nonzero(steps == -1)[0].tolist(), strict=True))
