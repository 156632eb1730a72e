"""Connected-component labelling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from preprocessing.connected_components import Mask, find_components, is_connected, label_components

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


@given(MASKS)
def test_flood_fill_agrees_with_labelling(mask: Mask) -> None:
    labels, count = label_components(mask)
    assert ((labels > 0) == mask).all()
    assert is_connected(mask) == (count <= 1)


@pytest.mark.parametrize(("rows", "expected"), [(["#..", "..#"], False), (["..#", "#.."], False), (["#.", ".#"], True)])
def test_row_ends_are_not_connected_to_next_row_starts(rows: list[str], expected: bool) -> None:
    assert is_connected(np.array([[pixel == "#" for pixel in row] for row in rows])) is expected


@given(MASKS, st.integers(0, 1000))
def test_components_are_the_connected_pixels_with_their_mass_peak_and_box(mask: Mask, seed: int) -> None:
    ink = np.random.default_rng(seed).integers(1, 256, mask.shape).astype(np.uint8)
    components, labels = find_components(mask, ink)
    assert ((labels > 0) == mask).all()
    assert [one.label for one in components] == list(range(1, len(components) + 1))
    for one in components:
        own = labels == one.label
        rows, columns = own.nonzero()
        assert is_connected(own)
        assert (one.mass, one.peak) == (ink[own].sum(), ink[own].max())
        assert one.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        grown = np.pad(own, 1)
        for axis in (0, 1):
            grown |= np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
        assert (labels[grown[1:-1, 1:-1] & mask] == one.label).all()
