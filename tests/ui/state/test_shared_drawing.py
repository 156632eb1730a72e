"""A drawing in a link: what is encoded is decoded, and nothing else is accepted."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.images.polyline import Polyline
from ui.state.shared_drawing import (
    MAX_SIDE,
    MAX_STROKES,
    MAX_TEXT,
    MAX_WIDTH,
    DamagedDrawing,
    DrawingTooLong,
    SharedDrawing,
    decode,
    encode,
    thin,
    unpack,
    within,
)

COORDINATES = st.integers(-280, 560)
COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
POINTS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=40).map(tuple)
STROKES = st.builds(Polyline, POINTS, st.integers(1, MAX_WIDTH), COLOURS)
SIDES = st.integers(280, MAX_SIDE)
DRAWINGS = st.builds(SharedDrawing, st.lists(STROKES, max_size=8).map(tuple), COLOURS, st.tuples(SIDES, SIDES))
SEVEN = SharedDrawing((Polyline(((80, 65), (140, 62), (200, 65), (170, 120), (128, 225)), 20, "#000000"),), "#ffffff")


@given(DRAWINGS)
def test_decoded_drawing_is_the_encoded_one(drawing: SharedDrawing) -> None:
    assert decode(encode(drawing)) == drawing


@given(st.text(max_size=60))
def test_any_text_is_a_drawing_or_an_error(text: str) -> None:
    with contextlib.suppress(DamagedDrawing):
        decode(text)


@given(st.sampled_from([b"\x01", b"\x02"]), st.binary(max_size=60))
def test_any_bytes_are_a_drawing_or_an_error(version: bytes, content: bytes) -> None:
    with contextlib.suppress(DamagedDrawing):
        drawing = unpack(version + content)
        assert max(drawing.size) <= MAX_SIDE
        points = [point for stroke in drawing.strokes for point in stroke.points]
        assert [tuple(map(within, point, drawing.size)) for point in points] == points


@pytest.mark.parametrize("count", range(len(encode(SEVEN))))
def test_text_whose_end_is_missing_is_damaged(count: int) -> None:
    with pytest.raises(DamagedDrawing):
        decode(encode(SEVEN)[:count])


def test_text_with_one_other_character_is_damaged() -> None:
    text = encode(SEVEN)
    for index, character in enumerate(text[:-1]):
        with pytest.raises(DamagedDrawing):
            decode(text[:index] + ("A" if character != "A" else "B") + text[index + 1 :])


def test_large_numbers_are_refused_before_anything_is_made_of_them() -> None:
    for content in (b"\x01" + bytes(3) + b"\xff\xff\x7f", b"\x01" + bytes(3) + b"\x01\x14" + bytes(3) + b"\xff\xff\x7f"):
        with pytest.raises(DamagedDrawing):
            unpack(content)
    with pytest.raises(DamagedDrawing):
        decode("A" * (MAX_TEXT + 1))


def test_points_of_a_long_drawing_are_thinned() -> None:
    line = tuple((index % 280, 100 + (index // 7) % 2) for index in range(3_000))
    text = encode(SharedDrawing((Polyline(line, 20, "#000000"),), "#ffffff"))
    assert len(text) <= MAX_TEXT
    points = decode(text).strokes[0].points
    assert (points[0], points[-1]) == (line[0], line[-1])
    assert len(points) < len(line)


def test_drawing_with_too_much_in_it_is_refused() -> None:
    zigzag = tuple((index % 2 * 279, index % 280) for index in range(3_000))
    with pytest.raises(DrawingTooLong):
        encode(SharedDrawing((Polyline(zigzag, 20, "#000000"),), "#ffffff"))
    with pytest.raises(DrawingTooLong):
        encode(SharedDrawing((Polyline(((0, 0),), 20, "#000000"),) * (MAX_STROKES + 1), "#ffffff"))


def test_thinning_keeps_the_ends_and_the_corners() -> None:
    assert thin(((0, 0), (50, 0), (100, 1), (100, 50), (100, 100)), 1.5) == ((0, 0), (100, 1), (100, 100))
    assert thin(((0, 0), (10, 0), (0, 0)), 1.0) == ((0, 0), (10, 0), (0, 0))  # there and back again


def test_points_far_outside_of_the_sheet_are_moved_to_its_surroundings() -> None:
    far = SharedDrawing((Polyline(((-9_000, 9_000),), 20, "#000000"),), "#ffffff")
    assert decode(encode(far)).strokes[0].points == ((-280, 560),)
    wide = SharedDrawing(far.strokes, "#ffffff", (1_000, 300))
    assert decode(encode(wide)).strokes[0].points == ((-1_000, 600),)


def test_link_of_a_square_sheet_is_as_it_was_before_there_were_others() -> None:
    assert encode(SEVEN) == "Af___wEUAAAABaABggF4BXgGO25T0gHTXA"


@pytest.mark.parametrize("size", [(0, 300), (MAX_SIDE + 1, 300)])
def test_size_of_no_sheet_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DamagedDrawing):
        decode(encode(SharedDrawing((), "#ffffff", size)))
