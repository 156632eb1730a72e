"""What a trained digit model is worth: accuracy, calibration, and how well it tells digits from other drawings."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.card import ClassMetrics, Metrics
from training import calibration, outliers
from training.datasets import Labelled
from training.frames import as_it_is, bank
from training.network import logits

Table = npt.NDArray[np.float32]


def outlier_logits(model: nn.Module, data: Path, part: outliers.Part, processes: int) -> dict[str, Table]:
    """Logits of pictures that are no digits; the model was trained on none of these words, alphabets and clothes."""
    testing = part == "test"
    archive = "images_background_small2" if testing else "images_background_small1"
    frames = {
        "quickdraw": bank(outliers.doodled, outliers.quickdraw(data, part), 11, processes),
        "omniglot": bank(as_it_is, outliers.omniglot(data, archive), 0, processes),
        "fashion": bank(as_it_is, outliers.fashion(data, "t10k" if testing else "train", 3000, 5), 0, processes),
    }
    return {name: predict(model, images) for name, images in frames.items()}


def predict(model: nn.Module, frames: npt.NDArray[np.uint8]) -> Table:
    """Logits ``float32[N, 10]`` of frames ``uint8[N, 28, 28]``."""
    answered: Table = logits(model, torch.from_numpy(frames)).numpy()
    return answered


def measured(model: nn.Module, pictures: Labelled, temperature: float, dataset: str, split: str) -> Metrics:
    """Accuracy, calibration error and per-class accuracy on preprocessed pictures, as the card holds them."""
    probabilities = np.exp(calibration.log_softmax(predict(model, pictures.images), temperature))
    winners = probabilities.argmax(axis=1)
    right = winners == pictures.labels
    return Metrics(
        dataset=dataset,
        split=split,
        n=len(pictures),
        accuracy=round(float(right.mean()), 5),
        ece=round(calibration.expected_calibration_error(probabilities, pictures.labels), 5),
        per_class={
            str(digit): ClassMetrics(
                n=int((pictures.labels == digit).sum()),
                recall=round(float(right[pictures.labels == digit].mean()), 5),
                precision=round(float(right[winners == digit].mean()), 5) if (winners == digit).any() else 0.0,
            )
            for digit in np.unique(pictures.labels).tolist()
        },
    )


def confidence(model: nn.Module, pictures: Labelled, temperature: float) -> float:
    """Mean probability of the winner."""
    return float(np.exp(calibration.log_softmax(predict(model, pictures.images), temperature)).max(axis=1).mean())


def accepted(model: nn.Module, pictures: Labelled, rule: calibration.RejectionRule, temperature: float) -> float:
    """Share of the pictures that are not rejected."""
    return float((calibration.scored(predict(model, pictures.images), rule.score, temperature) >= rule.threshold).mean())


def rounded(value: Any) -> Any:
    """The same JSON value with six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value
