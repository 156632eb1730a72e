"""The golden input and output of a model: a fixed image, and the logits recorded for it when its card was written.

A session whose logits for the golden input differ from the card runs on broken hardware or runs another model.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from models.card import ModelCard
from preprocessing import InputSpec, Tensor, normalise

RECORDED_LOGITS: Final = 5
DECIMALS: Final = 4
# As a share of the span between the logits: processors and releases of ONNX Runtime differ by 1e-5, TF32 by 1e-3.
TOLERANCE: Final = 0.01
ROUNDING: Final = 10**-DECIMALS


class GoldenOutputMismatch(Exception):
    """The logits of a session differ from the golden output on its card; the text has the model and both outputs."""


def golden_input(spec: InputSpec) -> Tensor:
    """A ring with a stroke across it as the input of a model: one image, in the model's layout and type.

    The levels are computed with whole numbers, so that they are the same on every machine.
    """
    x, y = (2 * np.arange(size) - size + 1 for size in (spec.width, spec.height))
    x, y = x[np.newaxis, :] * spec.height, y[:, np.newaxis] * spec.width
    distance, side = 4 * (x * x + y * y), spec.width * spec.height
    ring = (distance >= side * side) & (distance <= 2 * side * side)
    stroke = (abs(x - y) <= side // 8) & (abs(x + y) <= side)
    shades = np.linspace(255, 127.5, spec.channels)  # a different level in each channel
    axes = (slice(None), None, None) if spec.layout == "NCHW" else (None, None, slice(None))
    shape = (ring | stroke)[np.newaxis] if spec.layout == "NCHW" else (ring | stroke)[:, :, np.newaxis]
    return normalise((shape * shades[axes]).astype(np.float32), spec)[np.newaxis]


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
    """Run the golden input through ``run``, from a batch to logits float32[N,K], and compare the logits with the card.

    Raises:
        GoldenOutputMismatch: as ``verify_golden_output``.
    """
    verify_golden_output(card, run(golden_input(card.input))[0].tolist())


def _formatted(logits: dict[str, float]) -> str:
    return ", ".join(f"{label} {logit:.3f}" for label, logit in logits.items())
