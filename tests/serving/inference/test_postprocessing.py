import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.card import CARD_FILE, Calibration, ModelCard, Rejection, read_card
from models.store import CATALOGUE
from preprocessing import MAX_CHARACTERS, Tensor
from serving.inference.postprocessing import in_distribution_score, reject_reason, several_reason, softmax

PLAIN = Calibration(temperature=1)
LOGITS = np.array([1, 3, 2], dtype=np.float32)
PROBABILITIES = softmax(LOGITS, PLAIN)


@given(arrays.arrays(np.float32, 5, elements=st.floats(-1e4, 1e4, width=32)), st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_keep_the_order(logits: Tensor, temperature: float) -> None:
    probabilities = softmax(logits, Calibration(temperature=temperature))
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[logits.argmax()] == probabilities.max()


def test_higher_temperature_lowers_the_highest_probability() -> None:
    assert softmax(LOGITS, Calibration(temperature=2)).max() < softmax(LOGITS, PLAIN).max()


@pytest.mark.parametrize(
    ("score", "expected"),
    [("max_softmax", 0.665), ("max_logit", 3.0), ("energy", 3.408)],
)
def test_in_distribution_scores_by_hand(score: str, expected: float) -> None:
    rejection = Rejection.model_validate({"score": score, "threshold": 0})
    assert in_distribution_score(LOGITS, PROBABILITIES, rejection) == pytest.approx(expected, abs=1e-3)


def test_rejection_starts_below_the_threshold() -> None:
    assert reject_reason(LOGITS, PROBABILITIES, Rejection(score="max_logit", threshold=3)) is None
    reason = reject_reason(LOGITS, PROBABILITIES, Rejection(score="max_logit", threshold=3.5))
    assert reason is not None
    assert "3.00, below 3.50" in reason


def test_a_model_of_single_characters_rejects_several() -> None:
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard) and card.single
    assert several_reason(card, 1) is None
    assert "several characters (about 2)" in str(several_reason(card, 2))
    assert f"({MAX_CHARACTERS} or more)" in str(several_reason(card, MAX_CHARACTERS))
    assert several_reason(card.model_copy(update={"single": False}), 2) is None
