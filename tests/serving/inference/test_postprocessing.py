import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.card import CARD_FILE, Calibration, ModelCard, Rejection, read_card
from models.store import CATALOGUE
from preprocessing import MOST_CHARACTERS, Tensor
from serving.inference.postprocessing import familiarity, probabilities, ranking, reject_reason, several_reason, table

LABELS = ["0", "1", "2"]
PLAIN = Calibration(temperature=1)
LOGITS = np.array([1, 3, 2], dtype=np.float32)
SHARES = probabilities(LOGITS, PLAIN)


@given(arrays.arrays(np.float32, 5, elements=st.floats(-1e4, 1e4, width=32)), st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_keep_the_order(logits: Tensor, temperature: float) -> None:
    shares = probabilities(logits, Calibration(temperature=temperature))
    assert shares.sum() == pytest.approx(1)
    assert shares[logits.argmax()] == shares.max()


def test_a_higher_temperature_is_less_sure() -> None:
    assert probabilities(LOGITS, Calibration(temperature=2)).max() < probabilities(LOGITS, PLAIN).max()


@pytest.mark.parametrize(
    ("score", "expected"),
    [("max_softmax", 0.665), ("max_logit", 3.0), ("energy", 3.408)],
)
def test_familiarity_by_hand(score: str, expected: float) -> None:
    rejection = Rejection.model_validate({"score": score, "threshold": 0})
    assert familiarity(LOGITS, SHARES, rejection) == pytest.approx(expected, abs=1e-3)


def test_rejection_starts_below_the_threshold() -> None:
    assert reject_reason(LOGITS, SHARES, Rejection(score="max_logit", threshold=3)) is None
    reason = reject_reason(LOGITS, SHARES, Rejection(score="max_logit", threshold=3.5))
    assert reason is not None
    assert "3.00, below 3.50" in reason


def test_ranking_and_table() -> None:
    shares = np.array([0.1, 0.7, 0.2])
    assert [(share.label, share.confidence) for share in ranking(shares, LABELS, 2)] == [("1", 0.7), ("2", 0.2)]
    assert len(ranking(shares, LABELS, 99)) == 3
    assert table(shares, LABELS) == {"0": 0.1, "1": 0.7, "2": 0.2}


def test_a_model_of_single_characters_rejects_several() -> None:
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard) and card.single
    assert several_reason(card, 1) is None
    assert "several characters (about 2)" in str(several_reason(card, 2))
    assert f"({MOST_CHARACTERS} or more)" in str(several_reason(card, MOST_CHARACTERS))
    assert several_reason(card.model_copy(update={"single": False}), 2) is None
