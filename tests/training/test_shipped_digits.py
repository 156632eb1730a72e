"""The model in models/digits: its card, its file, and its accuracy on generated digits."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
from PIL import Image, ImageDraw

from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, read_card
from training.data.image_sets import INK, ImageSet, to_model_input
from training.rendering.strokes import VARIANTS, Variant, draw, draw_variant
from training.rendering.validation_digits import RARE_FORMS, draw_rare_validation_digit, draw_validation_digit

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


def predict(session: ort.InferenceSession, model_inputs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    logits: npt.NDArray[np.float32] = session.run(["logits"], {"input": model_inputs[:, None].astype(np.float32) / 255})[0]
    return np.asarray(logits.argmax(axis=1))


def accuracy(session: ort.InferenceSession, images: ImageSet) -> float:
    """Accuracy on images."""
    model_inputs = images.model_inputs(INK, processes=1)
    return float((predict(session, model_inputs.images) == model_inputs.labels).mean())


def test_card_matches_the_file_and_the_recipe(card: ModelCard) -> None:
    assert card.tag == "digits:1.3.0"
    assert card.sha256 == file_sha256(FOLDER / MODEL_FILE)
    assert card.input == INK and card.labels == [str(digit) for digit in range(10)]
    assert card.provenance.recipe == "training.recipes.digits" and card.licence == "Apache-2.0"
    assert (FOLDER / MODEL_FILE).stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("count", [1, 5])
def test_file_accepts_any_batch_size(session: ort.InferenceSession, count: int) -> None:
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape[1:]) == ("input", "tensor(float)", [1, 28, 28])
    assert (given.name, given.type, given.shape[1:]) == ("logits", "tensor(float)", [10])
    (logits,) = session.run(["logits"], {"input": np.zeros((count, 1, 28, 28), dtype=np.float32)})
    assert logits.shape == (count, 10) and np.isfinite(logits).all()


def test_first_metrics_are_of_the_mnist_test_set(card: ModelCard) -> None:
    first = card.metrics[0]
    assert (first.dataset, first.split, first.n) == ("MNIST", "test (t10k)", 10_000)
    assert first.accuracy >= 0.995 and first.ece <= 0.005


def test_training_report_has_the_learning_curve() -> None:
    log = json.loads((FOLDER / "training.json").read_text(encoding="utf-8"))
    assert [line["epoch"] for line in log["curve"]] == list(range(1, len(log["curve"]) + 1))
    assert log["accepted"]["MNIST, test (t10k)"] >= 0.98


def test_accuracy_on_generated_digits(session: ort.InferenceSession) -> None:
    assert accuracy(session, ImageSet(draw, DIGITS, DIGITS, seed=987)) >= 0.97


def test_accuracy_on_digits_of_another_generator(session: ort.InferenceSession) -> None:
    assert accuracy(session, ImageSet(draw_validation_digit, DIGITS, DIGITS, seed=986)) >= 0.95


def test_accuracy_on_rare_forms_of_another_generator(session: ort.InferenceSession) -> None:
    names = [name for name in RARE_FORMS for _ in range(20)]
    digits = np.array([RARE_FORMS[name][0] for name in names], dtype=np.int64)
    assert accuracy(session, ImageSet(draw_rare_validation_digit, names, digits, seed=985)) >= 0.97


@pytest.mark.parametrize("variant", VARIANTS, ids=[variant.name for variant in VARIANTS])
def test_accuracy_on_every_form(session: ort.InferenceSession, variant: Variant) -> None:
    model_inputs = np.stack([to_model_input(draw_variant(variant, np.random.default_rng(seed))) for seed in range(20)])
    assert (predict(session, model_inputs) == variant.digit).mean() >= 0.85


@pytest.mark.parametrize("width", [3, 12, 28])
@pytest.mark.parametrize("lean", [-30, 0, 30])
def test_straight_line_is_a_1_and_7_without_a_bar_is_a_7(session: ort.InferenceSession, width: int, lean: int) -> None:
    for digit, line in ((1, [(140 + lean, 40), (140 - lean, 240)]), (7, [(80, 50), (200, 50), (140 - lean, 240)])):
        image = Image.new("L", (280, 280))
        ImageDraw.Draw(image).line(line, fill=255, width=width, joint="curve")
        assert predict(session, to_model_input(image)[None])[0] == digit
