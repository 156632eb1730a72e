import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from preprocessing.components import Mask, is_one_piece, label, main_ink

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


@given(MASKS)
def test_pieces_flooded_and_labelled_are_the_same(mask: Mask) -> None:
    labels, count = label(mask)
    assert ((labels > 0) == mask).all()
    assert is_one_piece(mask) == (count <= 1)


def test_a_picture_with_nothing_above_its_noise_holds_no_ink() -> None:
    assert main_ink(np.full((8, 8), 20, dtype=np.uint8), noise=24) is None


@pytest.mark.parametrize(("rows", "expected"), [(["#..", "..#"], False), (["..#", "#.."], False), (["#.", ".#"], True)])
def test_the_end_of_a_row_is_far_from_the_start_of_the_next(rows: list[str], expected: bool) -> None:
    assert is_one_piece(np.array([[pixel == "#" for pixel in row] for row in rows])) is expected
