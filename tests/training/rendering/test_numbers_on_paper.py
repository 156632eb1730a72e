"""Rendering photos of numbers, displays and meters."""

import numpy as np
import pytest

from preprocessing import decode, segment
from training.data.datasets import LabelledImages
from training.rendering.displays import counter, dial_readout, seven_segments
from training.rendering.paper import PAPERS, SIZE, Paper, photograph_number
from training.rendering.photos import jpeg
from training.rendering.strokes import draw


def digits() -> LabelledImages:
    rng = np.random.default_rng(0)
    scans = [np.asarray(draw(digit, rng).resize((28, 28))) for digit in range(10)]
    return LabelledImages(np.stack(scans), np.arange(10))


@pytest.mark.parametrize("paper", PAPERS)
def test_a_photo_shows_dark_ink_on_paper(paper: Paper) -> None:
    photo, text = photograph_number(digits(), 3, paper, np.random.default_rng(5))
    assert photo.format == "JPEG" and photo.size == SIZE
    assert len(text) == 3 and text.isdigit()
    levels = np.asarray(photo.convert("L"), dtype=float)
    assert np.median(levels) > 1.5 * levels.min()


def test_most_photos_are_segmented_into_one_line_of_their_digits() -> None:
    rng = np.random.default_rng(1)
    right = 0
    for place in range(9):
        photo, text = photograph_number(digits(), 4, PAPERS[place % 3], rng)
        found = segment(photo, 64)
        right += len(found.pieces) == 1 and found.pieces[0] >= len(text)
    assert right >= 7


def test_seven_segments_light_up_as_on_a_display() -> None:
    rng = np.random.default_rng(0)
    lit = [float(np.asarray(seven_segments(str(digit), rng, lit=True).convert("L")).mean()) for digit in (1, 8)]
    dark = [float(np.asarray(seven_segments(str(digit), rng, lit=False).convert("L")).mean()) for digit in (1, 8)]
    assert lit[0] < lit[1]
    assert dark[0] > dark[1] > lit[1]


def test_a_readout_on_one_strip_is_segmented_into_its_digits() -> None:
    shown = dial_readout("48203", np.random.default_rng(0))
    found = segment(decode(_bytes(jpeg(shown, 90))), 64)
    assert len(found.pieces) == 1 and found.pieces[0] >= 5


def test_a_counter_has_a_window_for_each_digit() -> None:
    assert counter("123456", np.random.default_rng(0)).width > counter("123", np.random.default_rng(0)).width * 1.8


def _bytes(photo: object) -> bytes:
    content: bytes = photo.fp.getvalue()  # type: ignore[attr-defined]
    return content
