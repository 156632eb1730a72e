"""The golden input and output of a model: a fixed image, and the logits recorded for it when its card was written.

A session whose logits for the golden input differ from the card runs on broken hardware or runs another model.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from models.card import ModelCard
from preprocessing import InputSpec, Tensor

RECORDED_LOGITS: Final = 5
DECIMALS: Final = 4
# As a share of the span between the logits: processors and releases of ONNX Runtime differ by 1e-5, TF32 by 1e-3.
TOLERANCE: Final = 0.01
ROUNDING: Final = 10**-DECIMALS


class GoldenOutputMismatch(Exception):
    """The logits of a session differ from the golden output on its card; the text has the model and both outputs."""


def golden_input_for(spec: InputSpec) -> Tensor:
    """The golden input of a model with this input specification: ``float32[1, channels, size, size]``."""
    return golden_input(spec.size, spec.channels, spec.normalisation.mean, spec.normalisation.std)


def golden_input(size: int, channels: int, mean: float, std: float) -> Tensor:
    """A ring with a stroke across it, normalised: ``float32[1, channels, size, size]``.

    It is computed with integers, so that it is the same on every machine.
    """
    position = 2 * np.arange(size) - size + 1
    x, y = position[np.newaxis, :], position[:, np.newaxis]
    distance = 4 * (x * x + y * y)
    ring = (distance >= size * size) & (distance <= 2 * size * size)
    stroke = (abs(x - y) <= size // 8) & (abs(x + y) <= size)
    shades = np.linspace(1.0, 0.5, channels)[:, np.newaxis, np.newaxis]  # a different level in each channel
    return (((ring | stroke) * shades - mean) / std).astype(np.float32)[np.newaxis]


def golden_output(labels: Sequence[str], logits: Sequence[float]) -> dict[str, float]:
    """The largest of a model's logits for the golden input, by label: what a card holds as ``known_answer``."""
    top = sorted(range(len(labels)), key=lambda index: -logits[index])[:RECORDED_LOGITS]
    return {labels[index]: round(float(logits[index]), DECIMALS) for index in top}


def verify_golden_output(card: ModelCard, logits: Sequence[float]) -> None:
    """Compare a model's logits for the golden input with its card. A card without ``known_answer`` accepts finite logits.

    Raises:
        GoldenOutputMismatch: other logits, or not as many as there are labels.
    """
    if len(logits) != len(card.labels):
        raise GoldenOutputMismatch(f"{card.tag} returns {len(logits)} logits, but its card has {len(card.labels)} labels")
    if not np.isfinite(logits).all():
        raise GoldenOutputMismatch(f"{card.tag} returns logits that are not finite")
    expected = card.known_answer or {}
    actual = {label: float(logits[card.labels.index(label)]) for label in expected}
    tolerance = TOLERANCE * (max(logits) - min(logits)) + ROUNDING
    if any(abs(actual[label] - expected[label]) > tolerance for label in expected):
        raise GoldenOutputMismatch(
            f"{card.tag} returns {_formatted(actual)} for the golden input; its card says {_formatted(expected)}"
        )


def verify_session(card: ModelCard, run: Callable[[Tensor], Tensor]) -> None:
    """Run the golden input through ``run``, float32[N,C,H,W] to float32[N,K], and compare the logits with the card.

    Raises:
        GoldenOutputMismatch: as ``verify_golden_output``.
    """
    verify_golden_output(card, run(golden_input_for(card.input))[0].tolist())


def _formatted(logits: dict[str, float]) -> str:
    return ", ".join(f"{label} {logit:.3f}" for label, logit in logits.items())
