"""Connected-component labelling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from preprocessing.connected_components import Mask, is_connected, label_components

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


@given(MASKS)
def test_flood_fill_agrees_with_labelling(mask: Mask) -> None:
    labels, count = label_components(mask)
    assert ((labels > 0) == mask).all()
    assert is_connected(mask) == (count <= 1)


@pytest.mark.parametrize(("rows", "expected"), [(["#..", "..#"], False), (["..#", "#.."], False), (["#.", ".#"], True)])
def test_row_ends_are_not_connected_to_next_row_starts(rows: list[str], expected: bool) -> None:
    assert is_connected(np.array([[pixel == "#" for pixel in row] for row in rows])) is expected
