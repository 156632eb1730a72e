"""Conversion between images and arrays, and bounding boxes."""

import numpy as np
from PIL import Image

from preprocessing.connected_components import bounding_box
from preprocessing.pixels import to_array, to_image


def ramp() -> Image.Image:
    return Image.fromarray(np.arange(256, dtype=np.uint8).reshape(8, 32))


def test_images_and_arrays_round_trip() -> None:
    np.testing.assert_array_equal(to_array(ramp()), np.asarray(ramp()))
    part = to_array(ramp())[2:7, 3:20]
    np.testing.assert_array_equal(to_array(to_image(part)), part)


def test_look_up_table_gives_the_result_of_point() -> None:
    table = bytes(range(255, -1, -1))
    np.testing.assert_array_equal(to_array(ramp(), table), np.asarray(ramp().point(list(table))))


def test_ink_stands_alone_off_the_edges_without_gaps() -> None:
    ink = np.zeros((9, 7), dtype=np.uint8)
    ink[2:4, 3:6] = 5
    assert bounding_box(ink) == ((3, 2, 6, 4), True)
    ink[6, 3] = 5
    assert bounding_box(ink) == ((3, 2, 6, 7), False)
    ink[:] = 0
    ink[0, 0] = 5
    assert bounding_box(ink) == ((0, 0, 1, 1), False)
