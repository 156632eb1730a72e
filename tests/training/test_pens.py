"""training.pens: whatever a picture came from, the same hand draws it the same, with the same pens."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFilter

from preprocessing.geometry import scale_to_box, stroke_width
from tests.training.sources import Images
from training.augment import bend
from training.drawings import Doodle
from training.frames import INK, frame
from training.pens import bent_doodle, bent_scan, centreline, doodle, drawn, print_of, scan

Points = npt.NDArray[np.float64]

BOX = INK.geometry.fit_box


def sign(number: int) -> Points:
    """A bent line, one high."""
    points = np.random.default_rng(number % 20).uniform(0, 1, (5, 2)) + np.random.default_rng(number).normal(0, 0.1, (5, 2))
    low = points.min(axis=0)
    return np.asarray((points - low) / (points - low).max())


def raster(points: Points, side: int, pencil: float) -> Images:
    """The line light on dark, drawn with a pencil of this share of its height."""
    sheet = Image.new("L", (4 * side, 4 * side))
    dots = [(float(x), float(y)) for x, y in (0.15 + 0.7 * points) * 4 * side]
    ImageDraw.Draw(sheet).line(dots, fill=255, width=round(0.7 * pencil * 4 * side), joint="curve")
    return np.asarray(sheet.reduce(4))


Maker = Callable[[Points, np.random.Generator], Image.Image]


def as_scan(points: Points, hand: np.random.Generator) -> Image.Image:
    return scan(raster(points, 28, pencil=0.13), hand)


def as_print(points: Points, hand: np.random.Generator) -> Image.Image:
    return print_of(255 - raster(points, 105, pencil=0.04), hand)


def as_doodle(points: Points, hand: np.random.Generator) -> Image.Image:
    return doodle(Doodle("sign", "1", [points]), hand)


def as_bent_scan(points: Points, hand: np.random.Generator) -> Image.Image:
    return bent_scan(raster(points, 28, pencil=0.13), hand)


def as_bent_print(points: Points, hand: np.random.Generator) -> Image.Image:
    return bend(print_of(255 - raster(points, 105, pencil=0.04), hand), hand)


def as_bent_doodle(points: Points, hand: np.random.Generator) -> Image.Image:
    return bent_doodle(Doodle("sign", "1", [points]), hand)


def widths(make: Maker) -> Points:
    """Pen widths of sixty pictures as preprocessing measures them, in pixels of the model's box."""
    found = []
    for number in range(60):
        picture = make(sign(number), np.random.default_rng(number))
        found.append(stroke_width(scale_to_box(picture.crop(picture.getbbox()), BOX)))
    return np.array(found)


def alike(one: Image.Image, other: Image.Image) -> float:
    """Correlation of two pictures as a model sees them, a little out of focus."""
    seen = [Image.fromarray(frame(image)).filter(ImageFilter.GaussianBlur(1)) for image in (one, other)]
    first, second = (np.asarray(image, dtype=np.float64).ravel() for image in seen)
    return float(np.corrcoef(first, second)[0, 1])


@pytest.mark.parametrize("make", [as_print, as_doodle])
def test_the_same_hand_draws_a_scan_as_it_draws_anything_else(make: Maker) -> None:
    hands = range(40)
    same = [alike(*(draw(sign(hand), np.random.default_rng(hand)) for draw in (as_scan, make))) for hand in hands]
    assert np.median(same) > 0.93 and min(same) > 0.75


@pytest.mark.parametrize("make", [as_bent_scan, as_bent_print, as_bent_doodle])
def test_another_hand_bends_it_otherwise(make: Maker) -> None:
    hands = range(40)
    same = [alike(*(draw(sign(hand), np.random.default_rng(hand)) for draw in (as_bent_scan, make))) for hand in hands]
    other = [alike(*(make(sign(hand), np.random.default_rng(seed)) for seed in (hand, hand + 1000))) for hand in hands]
    assert np.median(same) > 0.93
    assert 0.6 < np.median(other) < 0.9


@pytest.mark.parametrize("makers", [(as_scan, as_print, as_doodle), (as_bent_scan, as_bent_print, as_bent_doodle)])
def test_the_pens_of_all_sources_are_the_same(makers: tuple[Maker, Maker, Maker]) -> None:
    scans, *others = (widths(make) for make in makers)
    for found in others:
        assert found.mean() == pytest.approx(scans.mean(), rel=0.08)
        assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(scans, [0.1, 0.5, 0.9]), rel=0.2)


def test_without_the_pens_the_pencils_would_give_the_source_away() -> None:
    scans, prints = (
        np.mean([stroke_width(scale_to_box(Image.fromarray(raster(sign(hand), side, pencil)), BOX)) for hand in range(20)])
        for side, pencil in ((28, 0.13), (105, 0.04))
    )
    assert scans > 1.7 * prints


def test_pens_are_thin_and_thick_and_some_pictures_are_small() -> None:
    found = widths(as_scan)
    assert found.max() > 4 * found.min()
    hand = np.random.default_rng(0)
    sides = [max(as_scan(sign(number), hand).size) for number in range(60)]
    assert 2 <= sum(side <= 48 for side in sides) <= 15


def test_the_centreline_of_a_stick_is_one_pixel_wide_and_in_its_middle() -> None:
    stick = np.zeros((28, 28), dtype=np.uint8)
    stick[4:24, 12:16] = 255
    line = centreline(Image.fromarray(stick))
    rows, columns = line.nonzero()
    assert line.sum() == len(set(rows.tolist())) > 60
    assert abs(columns.mean() - (line.shape[1] - 1) / 2) < 1 and columns.std() < 2


def test_the_centreline_is_the_same_wherever_the_ink_lies_and_however_large_the_sheet() -> None:
    ink = raster(sign(3), 28, pencil=0.13)
    placed = np.zeros((90, 120), dtype=np.uint8)
    placed[50:78, 7:35] = ink
    assert np.array_equal(centreline(Image.fromarray(ink)), centreline(Image.fromarray(placed)))


def test_the_same_hand_draws_the_same_picture() -> None:
    for make in (as_scan, as_print, as_doodle, as_bent_scan, as_bent_print, as_bent_doodle):
        first, again, other = (make(sign(1), np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert first.mode == "L" and first.tobytes() == again.tobytes() != other.tobytes()


@settings(max_examples=60)
@given(
    arrays.arrays(
        np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=60), elements=st.integers(0, 255), fill=st.just(0)
    ),
    st.integers(0, 59),
    st.integers(128, 255),
    st.integers(0, 2**32 - 1),
)
def test_any_ink_leaves_ink(picture: Images, place: int, level: int, seed: int) -> None:
    picture.flat[place % picture.size] = level
    hand = np.random.default_rng(seed)
    for made in (bent_scan(picture, hand), bend(print_of(255 - picture, hand), hand)):
        assert made.mode == "L" and frame(made).any()


@settings(max_examples=60)
@given(
    st.lists(
        arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(2)), elements=st.floats(0, 1)), min_size=1, max_size=4
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_strokes_leave_ink(paths: list[Points], seed: int) -> None:
    assert frame(bent_doodle(Doodle("anything", "1", paths), np.random.default_rng(seed))).any()


def test_an_empty_sheet_stays_empty() -> None:
    for seed in range(20):
        hand = np.random.default_rng(seed)
        picture = drawn(centreline(Image.new("L", (28, 20))), hand)
        assert picture.mode == "L" and not frame(picture).any()
