"""Components to characters and lines."""

from preprocessing.connected_components import Component
from preprocessing.pixels import Box
from preprocessing.segmentation.text_lines import find_text_lines


def components(*boxes: Box) -> list[Component]:
    return [Component(place, 100.0, 255, box) for place, box in enumerate(boxes, 1)]


def labels(*boxes: Box) -> list[list[list[int]]]:
    return [[sorted(one.label for one in group) for group in line] for line in find_text_lines(components(*boxes))]


def test_bodies_side_by_side_are_characters_of_one_line_from_the_left() -> None:
    assert labels((60, 0, 90, 50), (0, 5, 30, 55), (120, 2, 150, 52)) == [[[2], [1], [3]]]


def test_bodies_one_above_the_other_are_lines_from_the_top() -> None:
    assert labels((0, 100, 30, 150), (0, 0, 30, 50), (50, 0, 80, 50), (50, 100, 80, 150)) == [[[2], [3]], [[1], [4]]]


def test_halves_of_a_broken_character_are_one() -> None:
    assert labels((0, 0, 30, 50), (60, 0, 90, 24), (60, 26, 90, 50)) == [[[1], [2, 3]]]


def test_a_dot_above_belongs_to_the_stroke_below() -> None:
    assert labels((0, 0, 30, 50), (60, 15, 66, 50), (60, 2, 66, 8)) == [[[1], [2, 3]]]


def test_a_mark_beside_characters_belongs_to_none() -> None:
    assert labels((0, 0, 30, 50), (60, 0, 90, 50), (42, 44, 48, 50)) == [[[1], [2]]]


def test_marks_alone_are_one_character() -> None:
    assert labels((0, 0, 60, 8)) == [[[1]]]


def test_a_line_that_rises_by_ten_degrees_is_not_mixed_with_the_next() -> None:
    upper = [(40 * place, 100 - 7 * place, 40 * place + 28, 140 - 7 * place) for place in range(9)]
    lower = [(left, top + 62, right, bottom + 62) for left, top, right, bottom in upper]
    assert [len(line) for line in labels(*upper, *lower)] == [9, 9]


def test_parts_of_a_broken_first_character_are_in_the_line_of_the_next() -> None:
    """The parts of a 5 whose pen failed lie beside each other as much as one above the other."""
    assert labels((40, 0, 100, 30), (0, 32, 60, 66), (140, 0, 180, 64)) == [[[2], [1], [3]]]
    below = labels((40, 0, 100, 30), (0, 32, 60, 66), (140, 0, 180, 64), (0, 100, 40, 160), (60, 100, 100, 160))
    assert below == [[[2], [1], [3]], [[4], [5]]]


def test_a_character_beside_two_lines_leaves_them_apart() -> None:
    lines = labels((0, 0, 30, 50), (40, 0, 70, 50), (0, 70, 30, 120), (40, 70, 70, 120), (90, 0, 150, 120))
    assert [one[:2] for one in lines] == [[[1], [2]], [[3], [4]]]
