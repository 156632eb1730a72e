"""training.strokes: every form is drawn, inside its canvas, the same for the same seed."""

import numpy as np
import pytest

from training.frames import frame
from training.probe import FORMS, drawing, probe
from training.strokes import VARIANTS, Variant, draw, draw_variant
from training.strokes.curves import curve, line, loop
from training.strokes.pen import CANVASES, render

NAMES = [variant.name for variant in VARIANTS]


@pytest.mark.parametrize("variant", VARIANTS, ids=NAMES)
def test_every_form_leaves_ink_and_none_of_it_at_the_edge(variant: Variant) -> None:
    for seed in range(8):
        picture = np.asarray(draw_variant(variant, np.random.default_rng(seed)))
        assert picture.dtype == np.uint8 and picture.max() > 60
        assert max(picture.shape) <= 2 * CANVASES[1]
        edge = np.concatenate((picture[0], picture[-1], picture[:, 0], picture[:, -1]))
        assert edge.max() == 0


@pytest.mark.parametrize("variant", VARIANTS, ids=NAMES)
def test_a_form_is_the_same_for_the_same_seed_and_another_for_another(variant: Variant) -> None:
    first, again, other = (draw_variant(variant, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_every_digit_has_forms_and_a_name_says_which_digit() -> None:
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    assert len(set(NAMES)) == len(NAMES)
    for digit, word in enumerate(words):
        forms = [variant for variant in VARIANTS if variant.digit == digit]
        assert len(forms) >= 4
        assert all(variant.name.startswith(word) and variant.share > 0 for variant in forms)


def test_the_forms_that_readers_of_mnist_do_not_know_are_there() -> None:
    assert {"one_stick", "one_flagged", "one_printed", "one_long_printed", "seven_plain", "seven_barred"} <= set(NAMES)


def test_a_stick_is_one_stroke_and_narrow() -> None:
    stick = next(variant for variant in VARIANTS if variant.name == "one_stick")
    for seed in range(20):
        (path,) = stick.write(np.random.default_rng(seed))
        width, height = path.max(axis=0) - path.min(axis=0)
        assert width < 0.35 * height


def test_the_flag_of_a_1_is_steep_and_the_bar_of_a_7_is_level() -> None:
    by_name = {variant.name: variant for variant in VARIANTS}
    for seed in range(30):
        one = by_name["one_printed"].write(np.random.default_rng(seed))[0]
        top = one[one[:, 1].argmin()]
        assert one[0, 1] - top[1] > 0.5 * (top[0] - one[0, 0])
        (seven,) = by_name["seven_plain"].write(np.random.default_rng(seed))
        right = seven[seven[:, 0].argmax()]
        assert abs(seven[0, 1] - right[1]) < 0.35 * (right[0] - seven[0, 0])


def test_drawings_of_one_digit_differ_in_form_and_pen() -> None:
    hand = np.random.default_rng(0)
    frames = [frame(draw(7, hand)) for _ in range(40)]
    assert len({picture.tobytes() for picture in frames}) == 40
    ink = np.array([picture.sum() for picture in frames])
    assert ink.max() > 2.5 * ink.min()


def test_curves_pass_through_their_points_and_lines_keep_their_corners() -> None:
    hand = np.random.default_rng(0)
    points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    for path in (curve(hand, *points, jitter=0), line(hand, *points, jitter=0, bow=0)):
        for point in points:
            assert np.hypot(*(path - point).T).min() < 1e-9


def test_a_loop_turns_clockwise_for_a_positive_sweep() -> None:
    path = loop(np.random.default_rng(0), (0, 0), (1, 1), start=0, sweep=90)
    assert path[0, 0] > 0.5 and path[-1, 1] > 0.5


def test_a_dot_can_be_rendered() -> None:
    picture = render([np.zeros((2, 2))], side=50, brush=6, random=np.random.default_rng(0))
    assert np.asarray(picture).max() == 255


@pytest.mark.parametrize("digit", range(10))
def test_the_other_hand_draws_every_form_whole(digit: int) -> None:
    hand = np.random.default_rng(digit)
    for form in FORMS[digit]:
        picture = np.asarray(drawing(form, hand))
        edge = np.concatenate((picture[0], picture[-1], picture[:, 0], picture[:, -1]))
        assert picture.max() > 60 and edge.max() == 0
    assert probe(digit, np.random.default_rng(1)).tobytes() == probe(digit, np.random.default_rng(1)).tobytes()
