"""Strokes of the canvas as points and back."""

from hypothesis import given
from hypothesis import strategies as st

from ui.images.polyline import Polyline
from ui.state.canvas_paths import to_polyline, to_stroke

COORDINATES = st.integers(-280, 560)


@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=30, unique=True), st.integers(1, 255))
def test_points_of_a_stroke_are_those_it_was_made_of(points: list[tuple[int, int]], width: int) -> None:
    line = Polyline(tuple(points), width, "#123456")
    assert to_polyline(to_stroke(line)) == line


def test_points_of_the_browser_s_path_are_rounded() -> None:
    path = [["M", 79.98, 65], ["Q", 80, 65, 110.2, 63.3], ["Q", 140.4, 61.6, 170, 63], ["L", 200.02, 64.6]]
    stroke = {"type": "Path", "path": path, "stroke": "#000000", "strokeWidth": 20}
    assert to_polyline(stroke) == Polyline(((80, 65), (140, 62), (200, 65)), 20, "#000000")


def test_dot_of_the_browser_is_one_point() -> None:
    path = [["M", 99.98, 100], ["Q", 99.98, 100, 100, 100], ["L", 100.02, 100]]
    stroke = {"type": "Path", "path": path, "stroke": "#000000", "strokeWidth": 20}
    assert to_polyline(stroke).points == ((100, 100),)
