"""training.evaluation: the figures of a card from a network whose answers are known."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")

import torch
from torch import nn

from training.calibration import RejectionRule
from training.datasets import Labelled
from training.evaluation import accepted, confidence, measured, rounded


class Brightness(nn.Module):
    """Answers with the class whose number is the first pixel, as sure as ten units of logit make it."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot((pictures[:, 0, 0, 0] * 255).round().long(), 10).float() * 10


def pictures(shown: list[int], labels: list[int]) -> Labelled:
    images = np.zeros((len(shown), 28, 28), dtype=np.uint8)
    images[:, 0, 0] = shown
    return Labelled(images, np.array(labels))


def test_accuracy_and_classes() -> None:
    metrics = measured(Brightness(), pictures([1, 1, 2, 3], [1, 2, 2, 3]), 1.0, "made up", "all")
    assert (metrics.n, metrics.accuracy) == (4, 0.75)
    assert metrics.per_class == {"1": 1.0, "2": 0.5, "3": 1.0}
    sure = float(np.exp(10) / (np.exp(10) + 9))
    assert metrics.ece == pytest.approx(sure - 0.75, abs=1e-5)
    assert confidence(Brightness(), pictures([1], [1]), 1.0) == pytest.approx(sure)


def test_the_share_that_is_accepted() -> None:
    known = pictures([1, 2], [1, 2])
    assert accepted(Brightness(), known, RejectionRule("max_logit", 9.0, {}), 1.0) == 1
    assert accepted(Brightness(), known, RejectionRule("max_logit", 11.0, {}), 1.0) == 0


def test_numbers_of_a_log_are_short() -> None:
    assert rounded({"a": [1 / 3, 2], "b": (None, "text")}) == {"a": [0.333333, 2], "b": [None, "text"]}
