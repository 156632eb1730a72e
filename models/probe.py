"""A picture that every model can be asked about, and what it answered when its card was written: a session that answers
otherwise runs on something broken, or runs something else."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from models.card import ModelCard
from preprocessing import InputSpec, Tensor

NAMED: Final = 5
DIGITS: Final = 4
# As a share of the span between the logits: processors and releases of ONNX Runtime differ by 1e-5, TF32 by 1e-3.
TOLERANCE: Final = 0.01
ROUNDING: Final = 10**-DIGITS


class WrongAnswer(Exception):
    """A session does not answer as its card says it must; the text names the model and both answers."""


def probe_of(spec: InputSpec) -> Tensor:
    """The probe for a model that takes ``spec``."""
    return probe(spec.size, spec.channels, spec.normalisation.mean, spec.normalisation.std)


def probe(size: int, channels: int, mean: float, std: float) -> Tensor:
    """A ring with a stroke across it, normalised, float32[1,C,H,W]; it is made of whole numbers, so the same everywhere."""
    place = 2 * np.arange(size) - size + 1
    x, y = place[np.newaxis, :], place[:, np.newaxis]
    distance = 4 * (x * x + y * y)
    ring = (distance >= size * size) & (distance <= 2 * size * size)
    stroke = (abs(x - y) <= size // 8) & (abs(x + y) <= size)
    shades = np.linspace(1.0, 0.5, channels)[:, np.newaxis, np.newaxis]  # which channel is which shows
    return (((ring | stroke) * shades - mean) / std).astype(np.float32)[np.newaxis]


def known_answer(labels: Sequence[str], logits: Sequence[float]) -> dict[str, float]:
    """The largest of the logits that a model gives the probe, by label."""
    winners = sorted(range(len(labels)), key=lambda place: -logits[place])[:NAMED]
    return {labels[place]: round(float(logits[place]), DIGITS) for place in winners}


def check_answer(card: ModelCard, logits: Sequence[float]) -> None:
    """Compare what a model gives the probe with its card; of a card without ``known_answer`` finite numbers are enough.

    Raises:
        WrongAnswer: other logits, or not as many as there are labels.
    """
    if len(logits) != len(card.labels):
        raise WrongAnswer(f"{card.tag} gives {len(logits)} logits, but its card has {len(card.labels)} labels")
    if not np.isfinite(logits).all():
        raise WrongAnswer(f"{card.tag} gives numbers that are not finite")
    wanted = card.known_answer or {}
    given = {label: float(logits[card.labels.index(label)]) for label in wanted}
    allowed = TOLERANCE * (max(logits) - min(logits)) + ROUNDING
    if any(abs(given[label] - wanted[label]) > allowed for label in wanted):
        raise WrongAnswer(f"{card.tag} answers a known picture with {_told(given)}; its card says {_told(wanted)}")


def ask(card: ModelCard, run: Callable[[Tensor], Tensor]) -> None:
    """Show the probe to ``run``, float32[N,C,H,W] to float32[N,K], and compare the answer with the card.

    Raises:
        WrongAnswer: as ``check_answer``.
    """
    check_answer(card, run(probe_of(card.input))[0].tolist())


def _told(answer: dict[str, float]) -> str:
    return ", ".join(f"{label} {logit:.3f}" for label, logit in answer.items())
