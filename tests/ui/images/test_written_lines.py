"""Drawings of characters that are put side by side."""

from hypothesis import given
from hypothesis import strategies as st

from ui.images.polyline import Polyline
from ui.images.written_lines import MARGIN, write_lines

POINTS = st.lists(st.tuples(st.integers(0, 280), st.integers(0, 280)), min_size=1, max_size=6).map(tuple)
CHARACTERS = st.lists(st.builds(Polyline, POINTS, st.just(20), st.just("#000000")), min_size=1, max_size=3)
LINES = st.lists(st.lists(CHARACTERS, min_size=1, max_size=5), min_size=1, max_size=3)
ONE = [Polyline(((100, 50), (100, 230)), 20, "#000000")]
LOW = [Polyline(((90, 200), (110, 230)), 20, "#000000")]


@given(LINES)
def test_everything_is_on_the_sheet(lines: list[list[list[Polyline]]]) -> None:
    strokes = write_lines(lines, (560, 320), 14)
    assert len(strokes) == sum(len(character) for line in lines for character in line)
    for stroke in strokes:
        assert stroke.width == 14
        assert all(MARGIN - 1 <= x <= 560 - MARGIN + 1 and MARGIN - 1 <= y <= 320 - MARGIN + 1 for x, y in stroke.points)


def test_characters_stand_on_a_line_from_left_to_right() -> None:
    first, second, third = write_lines([[ONE, LOW], [ONE]], (560, 320), 14)
    assert first.points[-1][0] < second.points[0][0]
    assert first.points[-1][1] == second.points[-1][1]
    assert third.points[0][1] > first.points[-1][1]
