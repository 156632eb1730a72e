"""Metrics of known predictions."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from torch import nn

from models.calibration import log_softmax
from models.card_fields import ClassMetrics
from training.evaluation.metrics import acceptance_rate, card_metrics, confusion_matrix, predict, rounded
from training.evaluation.rejection import RejectionRule

DIGITS = [str(digit) for digit in range(10)]


class Brightness(nn.Module):
    """Predicts the class whose number is the first pixel, with a logit of 10."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot((images[:, 0, 0, 0] * 255).round().long(), 10).float() * 10


def logits_of(classes: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Logits of the network for images of these classes."""
    images = np.zeros((len(classes), 28, 28), dtype=np.uint8)
    images[:, 0, 0] = classes
    return predict(Brightness(), images)


def test_accuracy_calibration_error_and_classes() -> None:
    logits = logits_of([1, 1, 2, 3])
    metrics = card_metrics(np.exp(log_softmax(logits)), np.array([1, 2, 2, 3]), DIGITS, "made up, all of them, now")
    assert (metrics.dataset, metrics.split) == ("made up", "all of them, now")
    assert (metrics.n, metrics.accuracy) == (4, 0.75)
    assert metrics.per_class == {
        "1": ClassMetrics(n=1, recall=1, precision=0.5),
        "2": ClassMetrics(n=2, recall=0.5, precision=1),
        "3": ClassMetrics(n=1, recall=1, precision=1),
    }
    confidence = float(np.exp(10) / (np.exp(10) + 9))
    assert metrics.ece == pytest.approx(confidence - 0.75, abs=1e-5)


def test_class_that_is_never_predicted_has_precision_0() -> None:
    metrics = card_metrics(np.exp(log_softmax(logits_of([1, 1]))), np.array([1, 2]), DIGITS, "made up, all")
    assert metrics.per_class["2"] == ClassMetrics(n=1, recall=0, precision=0)


def test_confusion_matrix_counts_predictions_by_class() -> None:
    table = confusion_matrix(logits_of([1, 1, 2, 3, 3]), np.array([1, 2, 2, 3, 1]))
    assert table.shape == (10, 10) and table.sum() == 5
    assert (table[1, 1], table[2, 1], table[2, 2], table[3, 3], table[1, 3]) == (1, 1, 1, 1, 1)
    assert table.sum(axis=1).tolist() == [0, 2, 2, 1] + [0] * 6


def test_acceptance_rate_of_a_rule() -> None:
    known = logits_of([1, 2])
    assert acceptance_rate(known, RejectionRule("max_logit", 9.0, {}), 1.0) == 1
    assert acceptance_rate(known, RejectionRule("max_logit", 10.0, {}), 1.0) == 1
    assert acceptance_rate(known, RejectionRule("max_logit", 11.0, {}), 1.0) == 0
    # At this temperature the winner has the probability e / (e + 9), 0.23.
    assert acceptance_rate(known, RejectionRule("max_softmax", 0.22, {}), 10.0) == 1
    assert acceptance_rate(known, RejectionRule("max_softmax", 0.24, {}), 10.0) == 0


def test_rounded_keeps_six_significant_digits() -> None:
    assert rounded({"a": [1 / 3, 2], "b": (None, "text")}) == {"a": [0.333333, 2], "b": [None, "text"]}
