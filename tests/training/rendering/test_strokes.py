"""Generated digits: every form is inside its canvas and the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from training.data.image_sets import to_model_input
from training.rendering.strokes import RARE_VARIANTS, VARIANTS, Variant, draw, draw_rare, draw_variant
from training.rendering.strokes.brush import CANVASES, render_paths
from training.rendering.strokes.curves import curve, line, loop
from training.rendering.strokes.handwriting import Handwriting
from training.rendering.validation_digits import (
    FORMS,
    RARE_FORMS,
    draw_form,
    draw_rare_validation_digit,
    draw_validation_digit,
)

ALL_VARIANTS = VARIANTS + RARE_VARIANTS
NAMES = [variant.name for variant in ALL_VARIANTS]


@pytest.mark.parametrize("variant", ALL_VARIANTS, ids=NAMES)
def test_every_form_has_ink_and_a_blank_edge(variant: Variant) -> None:
    for seed in range(8):
        image = np.asarray(draw_variant(variant, np.random.default_rng(seed)))
        assert image.dtype == np.uint8 and image.max() > 60
        assert max(image.shape) <= 2 * CANVASES[1]
        edge = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
        assert edge.max() == 0


@pytest.mark.parametrize("variant", ALL_VARIANTS, ids=NAMES)
def test_form_depends_on_the_seed_only(variant: Variant) -> None:
    first, repeated, other = (draw_variant(variant, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.tobytes() == repeated.tobytes()
    assert first.tobytes() != other.tobytes()


def test_every_digit_has_forms_named_after_it() -> None:
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    assert len(set(NAMES)) == len(NAMES)
    for digit, word in enumerate(words):
        forms = [variant for variant in VARIANTS if variant.digit == digit]
        rare = [variant for variant in RARE_VARIANTS if variant.digit == digit]
        assert len(forms) >= 4 and rare
        assert all(variant.name.startswith(word) and variant.weight > 0 for variant in forms + rare)


def test_forms_that_mnist_lacks_are_included() -> None:
    assert {"one_stick", "one_flagged", "one_printed", "one_long_printed", "seven_plain", "seven_barred"} <= set(NAMES)


def test_stick_is_one_narrow_stroke() -> None:
    stick = next(variant for variant in VARIANTS if variant.name == "one_stick")
    for seed in range(20):
        (path,) = stick.strokes(np.random.default_rng(seed))
        width, height = path.max(axis=0) - path.min(axis=0)
        assert width < 0.35 * height


def test_upstroke_of_a_1_is_steep_and_bar_of_a_7_is_level() -> None:
    by_name = {variant.name: variant for variant in VARIANTS}
    for seed in range(30):
        one = by_name["one_printed"].strokes(np.random.default_rng(seed))[0]
        top = one[one[:, 1].argmin()]
        assert one[0, 1] - top[1] > 0.5 * (top[0] - one[0, 0])
        (seven,) = by_name["seven_plain"].strokes(np.random.default_rng(seed))
        right = seven[seven[:, 0].argmax()]
        assert abs(seven[0, 1] - right[1]) < 0.35 * (right[0] - seven[0, 0])


def test_drawings_of_a_digit_differ_in_form_and_stroke_width() -> None:
    rng = np.random.default_rng(0)
    model_inputs = [to_model_input(draw(7, rng)) for _ in range(40)]
    assert len({image.tobytes() for image in model_inputs}) == 40
    ink = np.array([image.sum() for image in model_inputs])
    assert ink.max() > 2.5 * ink.min()


def test_rare_forms_are_drawn_of_every_digit() -> None:
    for digit in range(10):
        assert np.asarray(draw_rare(digit, np.random.default_rng(digit))).max() > 60


def test_plain_hand_leaves_strokes_as_they_are() -> None:
    rng = np.random.default_rng(0)
    plain = Handwriting(width=1, slant=0, rotation=0, warp=0, tremor=0, heaviness=1, roundness=0, reach=0, displacement=0)
    paths = [line(rng, (0, 0), (0.5, 1)), line(rng, (0.2, 0.1), (0.4, 0.3))]
    for written, path in zip(plain.write(paths, rng), paths, strict=True):
        np.testing.assert_allclose(written, path)


def test_hand_rounds_corners_and_moves_the_ends_of_strokes() -> None:
    rng = np.random.default_rng(0)
    corner = line(rng, (0, 0), (0, 1), (1, 1), jitter=0, bow=0)
    hand = Handwriting(width=1, slant=0, rotation=0, warp=0, tremor=0, heaviness=1, roundness=0.4, reach=0, displacement=0)
    (rounded,) = hand.write([corner], rng)
    np.testing.assert_allclose(rounded[[0, -1]], corner[[0, -1]], atol=1e-9)
    assert np.hypot(*(rounded - (0, 1)).T).min() > 0.05
    for reach in (0.1, -0.1):
        (moved,) = replace(hand, roundness=0, reach=reach).write([corner], rng)
        assert moved[-1, 0] - 1 == pytest.approx(reach, abs=0.08) and (moved[-1, 0] > 1) == (reach > 0)


def test_curves_and_lines_pass_through_their_points() -> None:
    rng = np.random.default_rng(0)
    points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    for path in (curve(rng, *points, jitter=0), line(rng, *points, jitter=0, bow=0)):
        for point in points:
            assert np.hypot(*(path - point).T).min() < 1e-9


def test_loop_with_positive_sweep_is_clockwise() -> None:
    path = loop(np.random.default_rng(0), (0, 0), (1, 1), start=0, sweep=90)
    assert path[0, 0] > 0.5 and path[-1, 1] > 0.5


def test_dot_is_rendered() -> None:
    image = render_paths([np.zeros((2, 2))], side=50, brush=6, rng=np.random.default_rng(0))
    assert np.asarray(image).max() == 255


@pytest.mark.parametrize("digit", range(10))
def test_validation_digits_draw_every_form_inside_the_canvas(digit: int) -> None:
    rng = np.random.default_rng(digit)
    for form in FORMS[digit]:
        image = np.asarray(draw_form(form, rng))
        edge = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
        assert image.max() > 60 and edge.max() == 0
    assert (
        draw_validation_digit(digit, np.random.default_rng(1)).tobytes()
        == draw_validation_digit(digit, np.random.default_rng(1)).tobytes()
    )


@pytest.mark.parametrize("name", RARE_FORMS)
def test_rare_validation_forms_are_drawn_inside_the_canvas(name: str) -> None:
    first, repeated = (np.asarray(draw_rare_validation_digit(name, np.random.default_rng(1))) for _ in range(2))
    assert first.max() > 60 and first.tobytes() == repeated.tobytes()
    for form in RARE_FORMS[name][1]:
        image = np.asarray(draw_form(form, np.random.default_rng(2)))
        assert np.concatenate((image[0], image[-1], image[:, 0], image[:, -1])).max() == 0


def test_faint_strokes_of_validation_forms_are_fainter() -> None:
    image = np.asarray(draw_form("a1 a7 / ~ e1 e7", np.random.default_rng(0)))
    left, right = image[:, : image.shape[1] // 2], image[:, image.shape[1] // 2 :]
    assert left.max() > 200 > 165 > right.max() > 30
