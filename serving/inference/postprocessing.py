"""Logits to calibrated probabilities, and whether the image is rejected: out of distribution, or several characters."""

import numpy as np
import numpy.typing as npt

from models.card import ModelCard
from models.card_fields import Rejection
from models.outputs import probabilities
from preprocessing import MAX_CHARACTERS, Tensor

Probabilities = npt.NDArray[np.float64]


def probabilities_of(logits: Tensor, card: ModelCard) -> Probabilities:
    """Calibrated probabilities float64[K] of logits float32[K], with the card's temperature (Guo et al., ICML 2017).

    They sum to 1, unless the card's output is ``multi_label``: then each label has a probability for itself.
    """
    return probabilities(logits, card.output, card.calibration.temperature)


def in_distribution_score(logits: Tensor, scores: Probabilities, rejection: Rejection) -> float:
    """The score that is compared with the card's rejection threshold; lower is further out of distribution."""
    if rejection.score == "max_softmax":
        return float(scores.max())
    if rejection.score == "max_logit":
        return float(logits.max())
    highest = float(logits.max())
    return highest + float(np.log(np.exp(logits.astype(np.float64) - highest).sum()))


def reject_reason(logits: Tensor, scores: Probabilities, rejection: Rejection, model: str = "this model") -> str | None:
    """Why the image is out of distribution for ``model``, or None where it is not."""
    score = in_distribution_score(logits, scores, rejection)
    if score >= rejection.threshold:
        return None
    return (
        f"The image is unlike anything {model} was made for "
        f"({rejection.score} is {score:.2f}, below {rejection.threshold:.2f})."
    )


def several_reason(card: ModelCard, characters: int) -> str | None:
    """Why a model of single characters rejects an image with so many characters, or None where it does not."""
    if characters < 2 or not card.single:
        return None
    number = f"{characters} or more" if characters >= MAX_CHARACTERS else f"about {characters}"
    return (
        f"The picture shows several characters ({number}), and this model reads one at a time. "
        "Send a picture of each character."
    )
