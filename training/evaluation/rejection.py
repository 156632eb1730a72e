"""Chooses the rejection rule: the score that best separates known images from outliers, and its threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.calibration import Logits, Score, out_of_distribution_scores, rejection_threshold

SCORES: Final[tuple[Score, ...]] = ("max_softmax", "max_logit", "energy")


def auroc(known: npt.NDArray[np.floating], outliers: npt.NDArray[np.floating]) -> float:
    """Area under the ROC curve: the chance that a known image scores above an outlier, ties counting half."""
    values, inverse = np.unique(np.concatenate((known, outliers)), return_inverse=True)
    counts = np.bincount(inverse, minlength=len(values))
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = len(known)
    return float((ranks[:positives].sum() - positives * (positives + 1) / 2) / (positives * len(outliers)))


@dataclass(frozen=True, slots=True)
class RejectionRule:
    """The chosen score, its threshold, and the AUROC of every score on every set of outliers."""

    score: Score
    threshold: float
    auroc: dict[Score, dict[str, float]]


def choose_rejection(
    known: Logits, unseen: Sequence[Logits], outliers: Mapping[str, Logits], temperature: float, acceptance_rate: float
) -> RejectionRule:
    """Choose the score with the best mean AUROC of ``known`` images against outliers, and the largest threshold that accepts
    the given share of ``known`` images and of each set of ``unseen`` ones, of sources that are not trained on."""
    table: dict[Score, dict[str, float]] = {}
    for score in SCORES:
        known_scores = out_of_distribution_scores(known, score, temperature)
        scores = {name: out_of_distribution_scores(logits, score, temperature) for name, logits in outliers.items()}
        table[score] = {name: auroc(known_scores, outlier_scores) for name, outlier_scores in scores.items()}
    best = max(SCORES, key=lambda score: float(np.mean(list(table[score].values()))))
    threshold = min(rejection_threshold(logits, best, temperature, acceptance_rate) for logits in (known, *unseen))
    return RejectionRule(best, threshold, table)
