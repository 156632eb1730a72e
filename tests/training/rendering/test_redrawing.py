"""Redrawing: scans, drawings and doodles of the same strokes look the same, with the same brushes."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFilter

from preprocessing.geometry import scale_to_box, stroke_width
from tests.training.synthetic_data import Images
from training.data.drawings import Doodle
from training.data.image_sets import INK, to_model_input
from training.rendering.augmentation import distort
from training.rendering.redrawing import (
    centreline,
    draw_centreline,
    redraw_distorted_doodle,
    redraw_distorted_scan,
    redraw_doodle,
    redraw_drawing,
    redraw_scan,
)

Points = npt.NDArray[np.float64]

BOX = INK.placement.fit_box


def bent_line(number: int) -> Points:
    """A random bent line, scaled to 1."""
    points = np.random.default_rng(number % 20).uniform(0, 1, (5, 2)) + np.random.default_rng(number).normal(0, 0.1, (5, 2))
    low = points.min(axis=0)
    return np.asarray((points - low) / (points - low).max())


def raster(points: Points, side: int, pencil: float) -> Images:
    """Draw the line light on dark, with a pencil of a share of its height."""
    canvas = Image.new("L", (4 * side, 4 * side))
    dots = [(float(x), float(y)) for x, y in (0.15 + 0.7 * points) * 4 * side]
    ImageDraw.Draw(canvas).line(dots, fill=255, width=round(0.7 * pencil * 4 * side), joint="curve")
    return np.asarray(canvas.reduce(4))


Renderer = Callable[[Points, np.random.Generator], Image.Image]


def redrawn_scan(points: Points, rng: np.random.Generator) -> Image.Image:
    return redraw_scan(raster(points, 28, pencil=0.13), rng)


def redrawn_drawing(points: Points, rng: np.random.Generator) -> Image.Image:
    return redraw_drawing(255 - raster(points, 105, pencil=0.04), rng)


def redrawn_doodle(points: Points, rng: np.random.Generator) -> Image.Image:
    return redraw_doodle(Doodle("line", "1", [points]), rng)


def distorted_scan(points: Points, rng: np.random.Generator) -> Image.Image:
    return redraw_distorted_scan(raster(points, 28, pencil=0.13), rng)


def distorted_drawing(points: Points, rng: np.random.Generator) -> Image.Image:
    return distort(redraw_drawing(255 - raster(points, 105, pencil=0.04), rng), rng)


def distorted_doodle(points: Points, rng: np.random.Generator) -> Image.Image:
    return redraw_distorted_doodle(Doodle("line", "1", [points]), rng)


REDRAWN = (redrawn_scan, redrawn_drawing, redrawn_doodle)
DISTORTED = (distorted_scan, distorted_drawing, distorted_doodle)


def render(redraw: Renderer, line: int, seed: int) -> Image.Image:
    return redraw(bent_line(line), np.random.default_rng(seed))


def widths(redraw: Renderer) -> Points:
    """Stroke widths of sixty images as preprocessing measures them, in pixels of the model's box."""
    found = []
    for number in range(60):
        image = render(redraw, number, number)
        found.append(stroke_width(scale_to_box(image.crop(image.getbbox()), BOX)))
    return np.array(found)


def correlation(one: Image.Image, other: Image.Image) -> float:
    """Correlation of the blurred model inputs of two images."""
    inputs = [Image.fromarray(to_model_input(image)).filter(ImageFilter.GaussianBlur(1)) for image in (one, other)]
    first, second = (np.asarray(image, dtype=np.float64).ravel() for image in inputs)
    return float(np.corrcoef(first, second)[0, 1])


@pytest.mark.parametrize("redraw", [redrawn_drawing, redrawn_doodle])
def test_drawings_and_doodles_are_redrawn_as_scans_are(redraw: Renderer) -> None:
    seeds = range(40)
    same = [
        correlation(*(draw(bent_line(seed), np.random.default_rng(seed)) for draw in (redrawn_scan, redraw))) for seed in seeds
    ]
    assert np.median(same) > 0.93 and min(same) > 0.75


@pytest.mark.parametrize("redraw", [distorted_scan, distorted_drawing, distorted_doodle])
def test_distortion_depends_on_the_seed_only(redraw: Renderer) -> None:
    seeds = range(40)
    same = [
        correlation(*(draw(bent_line(seed), np.random.default_rng(seed)) for draw in (distorted_scan, redraw)))
        for seed in seeds
    ]
    different = [
        correlation(*(redraw(bent_line(seed), np.random.default_rng(other)) for other in (seed, seed + 1000))) for seed in seeds
    ]
    assert np.median(same) > 0.93
    assert 0.6 < np.median(different) < 0.9


@pytest.mark.parametrize("redraws", [REDRAWN, DISTORTED])
def test_stroke_widths_of_all_sources_are_the_same(redraws: tuple[Renderer, Renderer, Renderer]) -> None:
    scans, *others = (widths(redraw) for redraw in redraws)
    for found in others:
        assert found.mean() == pytest.approx(scans.mean(), rel=0.08)
        assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(scans, [0.1, 0.5, 0.9]), rel=0.2)


def test_stroke_widths_of_the_sources_differ_before_redrawing() -> None:
    scans, drawings = (
        np.mean([stroke_width(scale_to_box(Image.fromarray(raster(bent_line(seed), side, pencil)), BOX)) for seed in range(20)])
        for side, pencil in ((28, 0.13), (105, 0.04))
    )
    assert scans > 1.7 * drawings


def test_strokes_are_thin_and_thick_and_some_images_are_small() -> None:
    found = widths(redrawn_scan)
    assert found.max() > 4 * found.min()
    rng = np.random.default_rng(0)
    sides = [max(redrawn_scan(bent_line(number), rng).size) for number in range(60)]
    assert 2 <= sum(side <= 48 for side in sides) <= 15


def test_centreline_of_a_bar_is_one_pixel_wide_and_in_its_middle() -> None:
    bar = np.zeros((28, 28), dtype=np.uint8)
    bar[4:24, 12:16] = 255
    line = centreline(Image.fromarray(bar))
    rows, columns = line.nonzero()
    assert line.sum() == len(set(rows.tolist())) > 60
    assert abs(columns.mean() - (line.shape[1] - 1) / 2) < 1 and columns.std() < 2


def test_centreline_does_not_depend_on_position_and_canvas_size() -> None:
    ink = raster(bent_line(3), 28, pencil=0.13)
    placed = np.zeros((90, 120), dtype=np.uint8)
    placed[50:78, 7:35] = ink
    assert np.array_equal(centreline(Image.fromarray(ink)), centreline(Image.fromarray(placed)))


def test_same_seed_gives_the_same_image() -> None:
    for redraw in (*REDRAWN, *DISTORTED):
        first, repeated, other = (redraw(bent_line(1), np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert first.mode == "L" and first.tobytes() == repeated.tobytes() != other.tobytes()


@settings(max_examples=60)
@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=60),
        elements=st.integers(0, 255),
        fill=st.just(0),
    ),
    st.integers(0, 59),
    st.integers(128, 255),
    st.integers(0, 2**32 - 1),
)
def test_any_line_is_redrawn_as_ink(image: Images, place: int, level: int, seed: int) -> None:
    image[place % len(image)] = level
    rng = np.random.default_rng(seed)
    for redrawn in (redraw_distorted_scan(image, rng), distort(redraw_drawing(255 - image, rng), rng)):
        assert redrawn.mode == "L" and to_model_input(redrawn).any()


@settings(max_examples=60)
@given(
    st.lists(
        arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(2)), elements=st.floats(0, 1)), min_size=1, max_size=4
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_strokes_are_redrawn_as_ink(paths: list[Points], seed: int) -> None:
    assert to_model_input(redraw_distorted_doodle(Doodle("anything", "1", paths), np.random.default_rng(seed))).any()


def test_blank_image_stays_blank() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        image = draw_centreline(centreline(Image.new("L", (28, 20))), rng)
        assert image.mode == "L" and not to_model_input(image).any()
