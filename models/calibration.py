"""Calibration of a classifier: temperature scaling, calibration error, and out-of-distribution rejection."""

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


def log_likelihoods(
    logits: Logits, labels: npt.NDArray[np.int64], temperature: float = 1.0, smoothing: float = 0.0
) -> npt.NDArray[np.float64]:
    """log p(true class) of each image, ``float64[N]``; with ``smoothing`` that share of it is the mean over all classes."""
    found = log_softmax(logits, temperature)
    true = found[np.arange(len(labels)), labels]
    return np.asarray((1 - smoothing) * true + smoothing * found.mean(axis=1) if smoothing else true)


def negative_log_likelihood(
    logits: Logits, labels: npt.NDArray[np.int64], temperature: float = 1.0, smoothing: float = 0.0
) -> float:
    """Mean of -log p(true class), with label smoothing as ``log_likelihoods``."""
    return float(-log_likelihoods(logits, labels, temperature, smoothing).mean())


def fit_temperature(logits: Logits, labels: npt.NDArray[np.int64], smoothing: float = 0.0) -> float:
    """The temperature of least negative log-likelihood (Guo et al., ICML 2017), by golden section over 0.05 to 20."""
    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    while high - low > 1e-5:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        losses = [negative_log_likelihood(logits, labels, np.exp(one), smoothing) for one in (left, right)]
        if losses[0] < losses[1]:
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def expected_calibration_error(probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.int64]) -> float:
    """Mean distance between confidence and accuracy over 15 equal bins (0, 1/15], ... of the top probability.

    Bins are weighted by the number of images in them (Naeini et al., AAAI 2015).
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


def out_of_distribution_scores(logits: Logits, score: Score, temperature: float) -> npt.NDArray[np.float64]:
    """The out-of-distribution score of each image, ``float64[N]``: the lower, the less it is like the training data."""
    if score == "max_softmax":
        return np.asarray(np.exp(log_softmax(logits, temperature).max(axis=1)))
    return np.asarray(logits.max(axis=1).astype(np.float64)) if score == "max_logit" else logsumexp(logits)


def rejection_threshold(in_distribution: Logits, score: Score, temperature: float, accepted: float) -> float:
    """The largest threshold at which at least the share ``accepted`` of in-distribution images is accepted."""
    return float(np.quantile(out_of_distribution_scores(in_distribution, score, temperature), 1 - accepted, method="lower"))
