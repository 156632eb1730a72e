"""Logits to calibrated probabilities, the winners, and the doubt whether the image is anything at all."""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.card import Calibration, ModelCard, Rejection
from preprocessing import MOST_CHARACTERS, Tensor
from serving.schemas import Share

DIGITS: Final = 6  # decimals of a probability in an answer

Probabilities = npt.NDArray[np.float64]


def probabilities(logits: Tensor, calibration: Calibration) -> Probabilities:
    """Softmax of the logits float32[K] over the card's temperature (Guo et al., ICML 2017): float64[K], sums to 1."""
    scaled = logits.astype(np.float64) / calibration.temperature
    exponentials = np.exp(scaled - scaled.max())
    return np.asarray(exponentials / exponentials.sum())


def familiarity(logits: Tensor, shares: Probabilities, rejection: Rejection) -> float:
    """How much the image is like what the model was made for: the card's rejection score of its logits and calibrated
    probabilities, higher is more alike."""
    if rejection.score == "max_softmax":
        return float(shares.max())
    if rejection.score == "max_logit":
        return float(logits.max())
    highest = float(logits.max())
    return highest + float(np.log(np.exp(logits.astype(np.float64) - highest).sum()))


def reject_reason(logits: Tensor, shares: Probabilities, rejection: Rejection, model: str = "this model") -> str | None:
    """Why ``model`` rejects the image, or None when it does not."""
    score = familiarity(logits, shares, rejection)
    if score >= rejection.threshold:
        return None
    return (
        f"The image is unlike anything {model} was made for "
        f"({rejection.score} is {score:.2f}, below {rejection.threshold:.2f})."
    )


def several_reason(card: ModelCard, characters: int) -> str | None:
    """Why a model that reads one character at a time rejects an image that shows so many, or None when it does not."""
    if characters < 2 or not card.single:
        return None
    number = f"{characters} or more" if characters >= MOST_CHARACTERS else f"about {characters}"
    return (
        f"The picture shows several characters ({number}), and this model reads one at a time. "
        "Send a picture of each character."
    )


def ranking(shares: Probabilities, labels: list[str], top_k: int) -> list[Share]:
    """The ``top_k`` likeliest labels, the likeliest first."""
    order = np.argsort(-shares, kind="stable")[:top_k].tolist()
    return [Share(label=labels[i], confidence=round(float(shares[i]), DIGITS)) for i in order]


def table(values: npt.NDArray[np.floating], labels: list[str]) -> dict[str, float]:
    """Label to value, rounded, in the order of the card."""
    return {label: round(value, DIGITS) for label, value in zip(labels, values.tolist(), strict=True)}
