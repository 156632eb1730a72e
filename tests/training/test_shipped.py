"""The model in models/digits: it fits its card and reads what a person might draw."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
from PIL import Image, ImageDraw

from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, read_card
from training.frames import INK, Pictures, frame
from training.probe import probe
from training.strokes import VARIANTS, Variant, draw, draw_variant

FOLDER = Path(__file__).parents[2] / "models" / "digits"
MOST_BYTES = 1_000_000
DIGITS = np.tile(np.arange(10, dtype=np.int64), 60)


@pytest.fixture(scope="module")
def card() -> ModelCard:
    card = read_card(FOLDER / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card


@pytest.fixture(scope="module")
def session() -> ort.InferenceSession:
    return ort.InferenceSession(FOLDER / MODEL_FILE, providers=["CPUExecutionProvider"])


def read(session: ort.InferenceSession, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    answers: npt.NDArray[np.float32] = session.run(["logits"], {"input": frames[:, None].astype(np.float32) / 255})[0]
    return np.asarray(answers.argmax(axis=1))


def share_read(session: ort.InferenceSession, pictures: Pictures) -> float:
    """Share of the pictures that are read right."""
    frames = pictures.frames(INK, processes=1)
    return float((read(session, frames.images) == frames.labels).mean())


def test_the_card_is_of_this_file_and_of_this_recipe(card: ModelCard) -> None:
    assert card.tag == "digits:1.0.0"
    assert card.sha256 == file_sha256(FOLDER / MODEL_FILE)
    assert card.input == INK and card.labels == [str(digit) for digit in range(10)]
    assert card.provenance.recipe == "training.digits" and card.licence == "Apache-2.0"
    assert (FOLDER / MODEL_FILE).stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("count", [1, 5])
def test_the_file_takes_batches_of_any_size(session: ort.InferenceSession, count: int) -> None:
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape[1:]) == ("input", "tensor(float)", [1, 28, 28])
    assert (given.name, given.type, given.shape[1:]) == ("logits", "tensor(float)", [10])
    (answers,) = session.run(["logits"], {"input": np.zeros((count, 1, 28, 28), dtype=np.float32)})
    assert answers.shape == (count, 10) and np.isfinite(answers).all()


def test_the_card_says_how_good_it_is_on_pictures_it_was_not_chosen_on(card: ModelCard) -> None:
    first = card.metrics[0]
    assert (first.dataset, first.split, first.n) == ("MNIST", "test (t10k)", 10_000)
    assert first.accuracy >= 0.995 and first.ece <= 0.005


def test_the_training_log_is_there_with_its_curve() -> None:
    log = json.loads((FOLDER / "training.json").read_text(encoding="utf-8"))
    assert [line["epoch"] for line in log["curve"]] == list(range(1, len(log["curve"]) + 1))
    assert set(log["per_class"]["MNIST test (t10k)"]) == {str(digit) for digit in range(10)}


def test_it_reads_freshly_drawn_digits(session: ort.InferenceSession) -> None:
    assert share_read(session, Pictures(draw, DIGITS, DIGITS, seed=987)) >= 0.97


def test_it_reads_digits_of_a_hand_it_was_not_trained_on(session: ort.InferenceSession) -> None:
    assert share_read(session, Pictures(probe, DIGITS, DIGITS, seed=986)) >= 0.95


@pytest.mark.parametrize("variant", VARIANTS, ids=[variant.name for variant in VARIANTS])
def test_it_knows_every_form(session: ort.InferenceSession, variant: Variant) -> None:
    frames = np.stack([frame(draw_variant(variant, np.random.default_rng(seed))) for seed in range(20)])
    assert (read(session, frames) == variant.digit).mean() >= 0.85


@pytest.mark.parametrize("width", [3, 12, 28])
@pytest.mark.parametrize("lean", [-30, 0, 30])
def test_a_plain_stick_is_a_1_and_a_7_without_a_bar_is_a_7(session: ort.InferenceSession, width: int, lean: int) -> None:
    for digit, line in ((1, [(140 + lean, 40), (140 - lean, 240)]), (7, [(80, 50), (200, 50), (140 - lean, 240)])):
        picture = Image.new("L", (280, 280))
        ImageDraw.Draw(picture).line(line, fill=255, width=width, joint="curve")
        assert read(session, frame(picture)[None])[0] == digit
