import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.card import MODEL_FILE, ModelCard
from models.outputs import OutputSpec
from models.store import CATALOGUE
from models.validation import validate_folder
from preprocessing import InputSpec, PhotoGeometry, stages, tensor
from serving.inference.explanation import STEPS, colours, covered_corners, heat_map, margin, occlusions, patch_size, percent
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
    corners = covered_corners(frame, card)
    batch = np.stack(list(occlusions(frame, card, corners)))
    assert len(corners) == len(batch) == len(set(corners))
    patch, _ = patch_size(card.input)
    assert patch == 5
    for (top, left), covered in zip(corners, batch, strict=True):
        assert not covered[0, top : top + patch, left : left + patch].any()
    untouched = np.asarray(frame, dtype=np.float32) / 255
    assert np.abs(batch.max(axis=0)[0] - untouched).max() < 1e-6


def test_the_heat_lies_on_the_ink(card: ModelCard, frame: Image.Image) -> None:
    corners = covered_corners(frame, card)
    covered = occlusions(frame, card, corners)
    scores = Session(FOLDER / MODEL_FILE, CPU, threads=1).run(np.stack([tensor(frame, card.input), *covered]))
    _, note = heat_map(frame, card, corners, scores, card.labels.index("7"))
    assert re.fullmatch(r"Covering the ink that mattered most (takes '7' from .* to|leaves '7' at) .*%.", note)


@given(st.integers(8, 512))
def test_patch_scales_with_the_frame_and_occlusions_stay_limited(card: ModelCard, size: int) -> None:
    other = card.model_copy(update={"input": card.input.model_copy(update={"height": size, "width": size})})
    corners = covered_corners(Image.new("L", (size, size), 255), other)
    side, _ = patch_size(other.input)
    assert side / size == pytest.approx(5 / 28, abs=1 / size)
    assert len(corners) <= (STEPS + 1) ** 2
    assert max(top for top, _ in corners) + side == size


def test_all_of_a_photo_is_covered_by_its_mean_colour(card: ModelCard) -> None:
    spec = InputSpec(height=48, width=64, colour="RGB", geometry=PhotoGeometry())
    photo = card.model_copy(update={"input": spec})
    frame = Image.new("RGB", (64, 48), (200, 100, 0))
    frame.paste((100, 200, 0), (0, 0, 32, 48))
    corners = covered_corners(frame, photo)
    height, width = patch_size(spec)
    first = next(occlusions(frame, photo, corners))
    assert (height, width, first.shape) == (9, 11, (3, 48, 64))
    np.testing.assert_allclose(first[:, 0, 0] * 255, [150, 150, 0], atol=0.01)
    covered = np.zeros((48, 64), bool)
    for top, left in corners:
        covered[top : top + height, left : left + width] = True
    assert covered.all()
    picture, note = heat_map(frame, photo, corners, np.eye(len(corners) + 1, 10, dtype=np.float32), 0)
    assert picture.size == (64, 48)
    assert "part that mattered most" in note


def test_patches_of_a_large_photo_are_few_and_leave_no_gap(card: ModelCard) -> None:
    spec = InputSpec(height=224, width=320, colour="RGB", geometry=PhotoGeometry())
    corners = covered_corners(Image.new("RGB", (320, 224)), card.model_copy(update={"input": spec}))
    covered, (height, width) = np.zeros((224, 320), bool), patch_size(spec)
    for top, left in corners:
        covered[top : top + height, left : left + width] = True
    assert covered.all()
    assert len(corners) == 36


@pytest.mark.parametrize(("subject", "part"), [("ink", "ink"), ("object", "part")])
def test_note_of_an_object_does_not_mention_ink(card: ModelCard, frame: Image.Image, subject: str, part: str) -> None:
    geometry = card.input.placement.model_copy(update={"subject": subject})
    changed = card.model_copy(update={"input": card.input.model_copy(update={"geometry": geometry})})
    _, note = heat_map(frame, changed, [(0, 0)], np.eye(2, 10, dtype=np.float32), 0)
    assert f"the {part} that mattered most" in note


def test_margin_of_a_multi_label_model_is_its_own_logit() -> None:
    scores = np.array([[1, 5, 3]], dtype=np.float32)
    np.testing.assert_allclose(margin(scores, 0, OutputSpec(multi_label=True)), [1])


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
