import numpy as np
from PIL import Image

from preprocessing.components import bounds
from preprocessing.levels import levels, picture


def ramp() -> Image.Image:
    return Image.fromarray(np.arange(256, dtype=np.uint8).reshape(8, 32))


def test_pictures_and_arrays_turn_into_each_other() -> None:
    np.testing.assert_array_equal(levels(ramp()), np.asarray(ramp()))
    part = levels(ramp())[2:7, 3:20]
    np.testing.assert_array_equal(levels(picture(part)), part)


def test_a_table_is_looked_up_as_point_does() -> None:
    table = bytes(range(255, -1, -1))
    np.testing.assert_array_equal(levels(ramp(), table), np.asarray(ramp().point(list(table))))


def test_ink_stands_alone_off_the_edges_and_in_one_piece() -> None:
    ink = np.zeros((9, 7), dtype=np.uint8)
    ink[2:4, 3:6] = 5
    assert bounds(ink) == ((3, 2, 6, 4), True)
    ink[6, 3] = 5
    assert bounds(ink) == ((3, 2, 6, 7), False)
    ink[:] = 0
    ink[0, 0] = 5
    assert bounds(ink) == ((0, 0, 1, 1), False)
