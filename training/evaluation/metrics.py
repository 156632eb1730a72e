"""Measures a trained network: logits, accuracy and calibration, confusion matrix, share of accepted images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import calibration
from models.card_fields import Metrics
from models.metrics import compute_metrics
from training.data.datasets import Labels
from training.evaluation.rejection import RejectionRule
from training.fitting.network import predict_logits

Logits = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.floating]


def predict(network: nn.Module, images: npt.NDArray[np.uint8]) -> Logits:
    """Compute logits ``float32[N, K]`` of model inputs ``uint8[N, H, W]``."""
    logits: Logits = predict_logits(network, torch.from_numpy(images)).numpy()
    return logits


def card_metrics(probabilities: Probabilities, truth: Labels, labels: Sequence[str], name: str) -> Metrics:
    """Compute the metrics of a card from probabilities ``[N, K]``: accuracy, calibration error, recall of each class.

    ``name`` is ``DATA SET, SPLIT``. Classes without images are left out.
    """
    dataset, split = name.split(", ", 1)
    return compute_metrics(probabilities, truth, labels, dataset=dataset, split=split)


def confusion_matrix(probabilities: Probabilities, truth: Labels) -> npt.NDArray[np.int64]:
    """Count how often each class (rows) was predicted as each class (columns): ``int64[K, K]``."""
    classes = probabilities.shape[1]
    cells = truth * classes + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def acceptance_rate(logits: Logits, rule: RejectionRule, temperature: float) -> float:
    """Share of the images that a rule does not reject."""
    return float((calibration.out_of_distribution_scores(logits, rule.score, temperature) >= rule.threshold).mean())


def rounded(value: Any) -> Any:
    """Round all floats of a JSON value to six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value
