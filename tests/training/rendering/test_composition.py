"""Composing lines of characters from scans."""

import numpy as np
import pytest
from PIL import Image

from preprocessing import load, segment
from training.data.datasets import LabelledImages
from training.rendering.composition import compose, line_of, rotate


def bars() -> LabelledImages:
    """Two scans: a 1 and a wide bar."""
    scans = np.zeros((2, 28, 28), dtype=np.uint8)
    scans[0, 4:24, 13:16] = 255
    scans[1, 4:24, 8:20] = 255
    return LabelledImages(scans, np.array([0, 1]))


def glyph(width: int, height: int = 40) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width), 255, dtype=np.uint8)


@pytest.mark.parametrize("redrawn", [False, True])
@pytest.mark.parametrize("length", [1, 3, 8])
def test_a_line_has_its_characters_and_text(length: int, redrawn: bool) -> None:
    rng = np.random.default_rng(length)
    for _ in range(5):
        line = compose(bars(), ["1", "l"], length, rng, redrawn=redrawn, gaps=(0.6, 0.9))
        assert len(line.text) == length and set(line.text) <= {"1", "l"}
        assert line.touching == 0
        found = segment(load(line.image), 64)
        assert len(found.pieces) == 1
        assert found.pieces[0] >= length


def test_gap_of_nothing_makes_neighbours_touch() -> None:
    line = line_of([glyph(10), glyph(12), glyph(9)], 0.0, np.random.default_rng(0), gaps=(-1, -1))
    assert line.touching == 2
    assert line.ink.any(axis=0).all()
    assert 28 <= line.ink.shape[1] <= 31


def test_gaps_are_shares_of_the_width_of_a_character() -> None:
    line = line_of([glyph(20), glyph(20)], 0.0, np.random.default_rng(0), gaps=(1, 1))
    assert line.touching == 0
    assert 55 <= line.ink.shape[1] <= 66
    (_, end), (start, last) = line.spans
    assert not line.ink[:, end:start].any() and line.ink[:, end - 1].any() and line.ink[:, start].any()
    assert last == line.ink.shape[1]


@pytest.mark.parametrize("slope", [-0.17, 0.17])
def test_a_rising_line_lifts_its_last_character(slope: float) -> None:
    line = line_of([glyph(20) for _ in range(6)], slope, np.random.default_rng(0), gaps=(0.5, 0.5)).ink
    first, last = line[:, :15].any(axis=1).argmax(), line[:, -15:].any(axis=1).argmax()
    assert np.sign(int(first) - int(last)) == np.sign(slope)


def test_turning_keeps_the_ink() -> None:
    ink = glyph(200, 30)
    turned = rotate(ink, 0.17)
    assert turned.shape[0] > 55
    assert abs(turned.astype(float).sum() / ink.astype(float).sum() - 1) < 0.02


def test_the_same_seed_composes_the_same_picture() -> None:
    first, second = (compose(bars(), ["1", "l"], 4, np.random.default_rng(3), redrawn=True) for _ in range(2))
    assert first.text == second.text
    assert isinstance(first.image, Image.Image) and first.image.tobytes() == second.image.tobytes()
