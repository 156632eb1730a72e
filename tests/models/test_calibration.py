import numpy as np
import pytest

from models.calibration import accepting_threshold, best_temperature, expected_calibration_error, log_softmax, scored

HAND = np.random.default_rng(5)


def test_probabilities_sum_to_one_without_overflow() -> None:
    logits = np.array([[1e4, 0, -1e4], [1, 2, 3]], dtype=np.float32)
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=1), 1)


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1, 3, 5])
def test_the_temperature_that_labels_were_drawn_with_is_found(temperature: float) -> None:
    hand = np.random.default_rng(1)
    logits = hand.normal(size=(20_000, 4)) * 3
    drawn = (np.cumsum(np.exp(log_softmax(logits, temperature)), axis=1) > hand.random(20_000)[:, None]).argmax(axis=1)
    assert best_temperature(logits, drawn) == pytest.approx(temperature, rel=0.08)


def test_the_calibration_error_is_the_distance_from_accuracy() -> None:
    probabilities = np.tile([0.8, 0.2], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.2)


@pytest.mark.parametrize("score", ["max_softmax", "max_logit", "energy"])
def test_a_threshold_accepts_the_share_it_was_made_for(score: str) -> None:
    logits = HAND.normal(size=(1000, 5)) * 4
    threshold = accepting_threshold(logits, score, 1.5, 0.985)  # type: ignore[arg-type]
    accepted = float((scored(logits, score, 1.5) >= threshold).mean())  # type: ignore[arg-type]
    assert 0.985 <= accepted <= 0.987
