import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.card import CARD_FILE, ModelCard, read_card
from models.card_fields import Rejection
from models.outputs import LOGITS, OutputSpec, probabilities
from models.store import CATALOGUE
from preprocessing import MAX_CHARACTERS, Tensor
from serving.inference.postprocessing import in_distribution_score, reject_reason, several_reason

SCORES = np.array([1, 3, 2], dtype=np.float32)
PROBABILITIES = probabilities(SCORES, LOGITS, 1)


@given(arrays.arrays(np.float32, 5, elements=st.floats(-1e4, 1e4, width=32)), st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_keep_the_order(logits: Tensor, temperature: float) -> None:
    likely = probabilities(logits, LOGITS, temperature)
    assert likely.sum() == pytest.approx(1)
    assert likely[logits.argmax()] == likely.max()


def test_labels_of_a_multi_label_model_have_probabilities_for_themselves() -> None:
    likely = probabilities(np.array([0, 100, -1000], np.float32), OutputSpec(multi_label=True), 1)
    assert likely.tolist() == [0.5, 1.0, pytest.approx(0)]


def test_higher_temperature_lowers_the_highest_probability() -> None:
    assert probabilities(SCORES, LOGITS, 2).max() < PROBABILITIES.max()


@pytest.mark.parametrize(
    ("score", "expected"),
    [("max_softmax", 0.665), ("max_logit", 3.0), ("energy", 3.408)],
)
def test_in_distribution_scores_by_hand(score: str, expected: float) -> None:
    rejection = Rejection.model_validate({"score": score, "threshold": 0})
    assert in_distribution_score(SCORES, PROBABILITIES, rejection) == pytest.approx(expected, abs=1e-3)


def test_rejection_starts_below_the_threshold() -> None:
    assert reject_reason(SCORES, PROBABILITIES, Rejection(score="max_logit", threshold=3)) is None
    reason = reject_reason(SCORES, PROBABILITIES, Rejection(score="max_logit", threshold=3.5))
    assert reason is not None
    assert "3.00, below 3.50" in reason


def test_a_model_of_single_characters_rejects_several() -> None:
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard) and card.single
    assert several_reason(card, 1) is None
    assert "several characters (about 2)" in str(several_reason(card, 2))
    assert f"({MAX_CHARACTERS} or more)" in str(several_reason(card, MAX_CHARACTERS))
    assert several_reason(card.model_copy(update={"single": False}), 2) is None
