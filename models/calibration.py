"""How far a model's word can be trusted: temperature, calibration error, and the score below which it has no opinion."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.floating]
Score = Literal["max_softmax", "max_logit", "energy"]

BINS: Final = 15


def log_softmax(logits: Logits, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Log-probabilities ``float64[N, K]`` of logits ``[N, K]`` divided by the temperature."""
    scaled = logits.astype(np.float64) / temperature
    return np.asarray(scaled - logsumexp(scaled)[:, None])


def logsumexp(logits: Logits) -> npt.NDArray[np.float64]:
    """log(sum(exp(row))) of every row, without overflow: ``float64[N]``."""
    highest = logits.astype(np.float64).max(axis=1)
    return np.asarray(highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1)))


def negative_log_likelihood(logits: Logits, labels: npt.NDArray[np.int64], temperature: float = 1.0) -> float:
    """Mean of -log p(true class)."""
    return float(-log_softmax(logits, temperature)[np.arange(len(labels)), labels].mean())


def best_temperature(logits: Logits, labels: npt.NDArray[np.int64]) -> float:
    """The temperature of least negative log-likelihood (Guo et al., ICML 2017), by golden section over 0.05 to 20."""
    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    while high - low > 1e-5:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if negative_log_likelihood(logits, labels, np.exp(left)) < negative_log_likelihood(logits, labels, np.exp(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def expected_calibration_error(probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.int64]) -> float:
    """Mean distance between confidence and accuracy over 15 equal bins (0, 1/15], ... of the winner's probability.

    Bins weigh by how many pictures fall into them (Naeini et al., AAAI 2015).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


def scored(logits: Logits, score: Score, temperature: float) -> npt.NDArray[np.float64]:
    """How much every picture looks like something the model knows: ``float64[N]``, larger is more."""
    if score == "max_softmax":
        return np.asarray(np.exp(log_softmax(logits, temperature).max(axis=1)))
    return np.asarray(logits.max(axis=1).astype(np.float64)) if score == "max_logit" else logsumexp(logits)


def accepting_threshold(known: Logits, score: Score, temperature: float, accepted: float) -> float:
    """The threshold that accepts at least the share ``accepted`` of the pictures a model knows."""
    return float(np.quantile(scored(known, score, temperature), 1 - accepted, method="lower"))
