import numpy as np
import pytest

from models.calibration import (
    expected_calibration_error,
    fit_temperature,
    log_likelihoods,
    log_softmax,
    logsumexp,
    negative_log_likelihood,
    out_of_distribution_scores,
    rejection_threshold,
)

HAND = np.random.default_rng(5)


def test_probabilities_sum_to_one_without_overflow() -> None:
    logits = np.array([[1e4, 0, -1e4], [1, 2, 3]], dtype=np.float32)
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=1), 1)


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1, 3, 5])
def test_fit_temperature_recovers_the_true_temperature(temperature: float) -> None:
    hand = np.random.default_rng(1)
    logits = hand.normal(size=(20_000, 4)) * 3
    drawn = (np.cumsum(np.exp(log_softmax(logits, temperature)), axis=1) > hand.random(20_000)[:, None]).argmax(axis=1)
    assert fit_temperature(logits, drawn) == pytest.approx(temperature, rel=0.08)


def test_calibration_error_of_two_bins() -> None:
    # Four at 0.8 of which three are right (gap 0.05), one at 0.6 that is wrong (gap 0.6): (4 * 0.05 + 1 * 0.6) / 5.
    probabilities = np.array([[0.8, 0.2]] * 4 + [[0.6, 0.4]])
    labels = np.array([0, 0, 0, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.16)


def test_certain_and_correct_is_perfectly_calibrated() -> None:
    assert expected_calibration_error(np.eye(3), np.arange(3)) == 0


def test_confidence_on_the_upper_edge_of_a_bin_belongs_to_it() -> None:
    # 0.8 = 12/15 and 0.75 share the bin (11/15, 12/15]; their gaps, -0.2 and +0.75, add up before the absolute value.
    probabilities = np.array([[0.8, 0.2], [0.75, 0.25]])
    error = expected_calibration_error(probabilities, np.array([0, 1]))
    assert error == pytest.approx(abs((1 - 0.8) + (0 - 0.75)) / 2)


def test_log_softmax_and_energy_do_not_overflow() -> None:
    logits = np.array([[1000.0, 1000.0], [-1000.0, 0.0]])
    assert logsumexp(logits) == pytest.approx([1000 + np.log(2), 0])
    assert np.exp(log_softmax(logits)) == pytest.approx(np.array([[0.5, 0.5], [0, 1]]))


def test_out_of_distribution_scores_match_their_definitions() -> None:
    logits = np.array([[2.0, 0.0]])
    assert out_of_distribution_scores(logits, "max_logit", 2.0) == pytest.approx([2])
    assert out_of_distribution_scores(logits, "energy", 2.0) == pytest.approx([np.log(np.exp(2) + 1)])
    assert out_of_distribution_scores(logits, "max_softmax", 2.0) == pytest.approx([np.e / (np.e + 1)])


@pytest.mark.parametrize("score", ["max_softmax", "max_logit", "energy"])
def test_threshold_accepts_the_requested_share(score: str) -> None:
    logits = HAND.normal(size=(1000, 5)) * 4
    threshold = rejection_threshold(logits, score, 1.5, 0.985)  # type: ignore[arg-type]
    accepted = float((out_of_distribution_scores(logits, score, 1.5) >= threshold).mean())  # type: ignore[arg-type]
    assert 0.985 <= accepted <= 0.987


def test_label_smoothing_mixes_in_the_mean_over_all_classes() -> None:
    logits, labels = np.array([[2.0, 0.0, -1.0]]), np.array([0])
    every = log_softmax(logits)[0]
    assert log_likelihoods(logits, labels)[0] == every[0]
    assert log_likelihoods(logits, labels, smoothing=0.1)[0] == pytest.approx(0.9 * every[0] + 0.1 * every.mean())


def test_with_label_smoothing_larger_margins_are_likelier_where_all_are_right() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 100)
    wide, narrow = (rng.normal(size=(100, 10)) + margin * np.eye(10)[labels] for margin in (20, 8))
    for scale in (1, 0.2):
        found = [fit_temperature(scale * logits, labels, 0.1) for logits in (wide, narrow)]
        assert all(0.5 < temperature / scale < 20 for temperature in found)
        losses = [
            negative_log_likelihood(scale * logits, labels, temperature, 0.1)
            for logits, temperature in zip((wide, narrow), found, strict=True)
        ]
        assert losses[0] < losses[1]
