"""training.calibration on cases worked out by hand."""

import numpy as np
import pytest

from training import calibration


def test_the_calibration_error_of_two_bins() -> None:
    # Four at 0.8 of which three are right (gap 0.05), one at 0.6 that is wrong (gap 0.6): (4 * 0.05 + 1 * 0.6) / 5.
    probabilities = np.array([[0.8, 0.2]] * 4 + [[0.6, 0.4]])
    labels = np.array([0, 0, 0, 1, 1])
    assert calibration.expected_calibration_error(probabilities, labels) == pytest.approx(0.16)


def test_certain_and_right_is_perfectly_calibrated() -> None:
    assert calibration.expected_calibration_error(np.eye(3), np.arange(3)) == 0


def test_a_confidence_on_a_bins_upper_edge_belongs_to_that_bin() -> None:
    # 0.8 = 12/15 and 0.75 share the bin (11/15, 12/15]; their gaps, -0.2 and +0.75, add up before the absolute value.
    probabilities = np.array([[0.8, 0.2], [0.75, 0.25]])
    error = calibration.expected_calibration_error(probabilities, np.array([0, 1]))
    assert error == pytest.approx(abs((1 - 0.8) + (0 - 0.75)) / 2)


def test_the_temperature_undoes_overconfidence() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 5))
    chances = np.exp(calibration.log_softmax(logits))
    labels = (chances.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert calibration.best_temperature(logits * 3, labels) == pytest.approx(3, rel=0.03)


def test_log_softmax_and_energy_do_not_overflow() -> None:
    logits = np.array([[1000.0, 1000.0], [-1000.0, 0.0]])
    assert calibration.logsumexp(logits) == pytest.approx([1000 + np.log(2), 0])
    assert np.exp(calibration.log_softmax(logits)) == pytest.approx(np.array([[0.5, 0.5], [0, 1]]))


def test_the_scores_are_what_the_card_says() -> None:
    logits = np.array([[2.0, 0.0]])
    assert calibration.scored(logits, "max_logit", 2.0) == pytest.approx([2])
    assert calibration.scored(logits, "energy", 2.0) == pytest.approx([np.log(np.exp(2) + 1)])
    assert calibration.scored(logits, "max_softmax", 2.0) == pytest.approx([np.e / (np.e + 1)])


def test_auroc_counts_pairs_and_half_the_ties() -> None:
    assert calibration.auroc(np.array([3.0, 2.0]), np.array([1.0, 0.0])) == 1
    assert calibration.auroc(np.array([0.0]), np.array([1.0])) == 0
    # Of the six pairs four are won and one is tied.
    assert calibration.auroc(np.array([3.0, 1.0]), np.array([2.0, 1.0, 0.0])) == pytest.approx(4.5 / 6)


def test_the_rule_takes_the_best_score_and_accepts_the_share_asked_for() -> None:
    random = np.random.default_rng(1)
    known = random.normal(0, 1, (1000, 3)) + np.array([8, 0, 0])
    unknown = {"noise": random.normal(0, 1, (500, 3))}
    rule = calibration.choose_rejection(known, unknown, 1.0, accepted=0.97)
    kept = calibration.scored(known, rule.score, 1.0) >= rule.threshold
    assert kept.mean() == pytest.approx(0.97, abs=0.002)
    assert rule.auroc[rule.score]["noise"] == max(table["noise"] for table in rule.auroc.values()) > 0.99
