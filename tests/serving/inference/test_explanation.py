import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.card import MODEL_FILE, ModelCard
from models.store import CATALOGUE
from models.validation import validate_folder
from preprocessing import stages, tensor
from serving.inference.explanation import STEPS, colours, heat_map, margin, occlusions, patch_side, percent
from serving.inference.sessions import CPU, Session
from tests.support.pictures import digit

FOLDER: Path = CATALOGUE / "digits"


@pytest.fixture(scope="module")
def card() -> ModelCard:
    card = validate_folder(FOLDER)
    assert isinstance(card, ModelCard)
    return card


@pytest.fixture(scope="module")
def frame(card: ModelCard) -> Image.Image:
    return stages(digit("7"), card.input)[-1].image


def test_the_margin_is_over_the_best_other_class() -> None:
    scores = np.array([[1, 5, 3], [4, 0, 2]], dtype=np.float32)
    np.testing.assert_allclose(margin(scores, 1), [2, -4])


def test_every_patch_with_ink_is_covered_once(card: ModelCard, frame: Image.Image) -> None:
    corners, covered_frames = occlusions(frame, card)
    batch = np.stack(covered_frames)
    assert len(corners) == len(batch) == len(set(corners))
    patch = patch_side(card.input.size)
    assert patch == 5
    for (top, left), covered in zip(corners, batch, strict=True):
        assert not covered[0, top : top + patch, left : left + patch].any()
    untouched = np.asarray(frame, dtype=np.float32) / 255
    assert np.abs(batch.max(axis=0)[0] - untouched).max() < 1e-6


def test_the_heat_lies_on_the_ink(card: ModelCard, frame: Image.Image) -> None:
    corners, covered = occlusions(frame, card)
    scores = Session(FOLDER / MODEL_FILE, CPU, threads=1).run(np.stack([tensor(frame, card.input), *covered]))
    _, note = heat_map(frame, card, corners, scores, card.labels.index("7"))
    assert re.fullmatch(r"Covering the ink that mattered most (takes '7' from .* to|leaves '7' at) .*%.", note)


@given(st.integers(8, 512))
def test_patch_scales_with_the_frame_and_occlusions_stay_limited(card: ModelCard, size: int) -> None:
    other = card.model_copy(update={"input": card.input.model_copy(update={"size": size})})
    corners, covered = occlusions(Image.new("L", (size, size), 255), other)
    side = patch_side(size)
    assert side / size == pytest.approx(5 / 28, abs=1 / size)
    assert len(corners) == len(covered) <= (STEPS + 1) ** 2
    assert size - size / STEPS <= max(top for top, _ in corners) + side <= size


def test_heat_glows_and_ink_is_grey() -> None:
    heat = np.zeros((2, 2))
    heat[0, 0] = 1
    shown = colours(Image.new("L", (2, 2), 255), heat)
    assert shown[0, 0].tolist() == [255, 140, 25]
    assert len(set(shown[1, 1].tolist())) == 1


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "more than 99.9%"),
        (0.9991, "more than 99.9%"),
        (0.999, "99.9%"),
        (0.5, "50.0%"),
        (0.001, "0.1%"),
        (0.0, "less than 0.1%"),
    ],
)
def test_percentages_are_never_0_or_100(probability: float, words: str) -> None:
    assert percent(probability) == words
