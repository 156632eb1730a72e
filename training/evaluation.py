"""What a trained model is worth: accuracy, calibration, and how well it tells what it was made for from all else."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import calibration, metrics
from models.card import Metrics
from training.datasets import Labels
from training.network import logits
from training.rejection import RejectionRule

Table = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.floating]


def predict(model: nn.Module, frames: npt.NDArray[np.uint8]) -> Table:
    """Logits ``float32[N, K]`` of frames ``uint8[N, H, W]``."""
    answered: Table = logits(model, torch.from_numpy(frames)).numpy()
    return answered


def measured(probabilities: Probabilities, truth: Labels, labels: Sequence[str], name: str) -> Metrics:
    """Accuracy, calibration error and every class of probabilities ``[N, K]``, as a card holds them.

    ``name`` is ``DATA SET, SPLIT``. Classes without a picture are left out.
    """
    dataset, split = name.split(", ", 1)
    return metrics.compute_metrics(probabilities, truth, labels, dataset=dataset, split=split)


def confusions(probabilities: Probabilities, truth: Labels) -> npt.NDArray[np.int64]:
    """How often each class (rows) was read as each (columns): ``int64[K, K]``."""
    classes = probabilities.shape[1]
    places = truth * classes + probabilities.argmax(axis=1)
    return np.bincount(places, minlength=classes**2).reshape(classes, classes)


def accepted(answered: Table, rule: RejectionRule, temperature: float) -> float:
    """Share of the pictures that are not rejected."""
    return float((calibration.out_of_distribution_scores(answered, rule.score, temperature) >= rule.threshold).mean())


def rounded(value: Any) -> Any:
    """The same JSON value with six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value
