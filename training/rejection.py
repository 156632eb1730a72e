"""When to say that a picture is none of what a model was made for: the score that tells best, and its threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.calibration import Logits, Score, out_of_distribution_scores, rejection_threshold

SCORES: Final[tuple[Score, ...]] = ("max_softmax", "max_logit", "energy")


def auroc(known: npt.NDArray[np.floating], unknown: npt.NDArray[np.floating]) -> float:
    """The chance that a known picture scores above an unknown one, ties counting half."""
    values, inverse = np.unique(np.concatenate((known, unknown)), return_inverse=True)
    counts = np.bincount(inverse, minlength=len(values))
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = len(known)
    return float((ranks[:positives].sum() - positives * (positives + 1) / 2) / (positives * len(unknown)))


@dataclass(frozen=True, slots=True)
class RejectionRule:
    """The chosen score, its threshold, and the AUROC of every score on every kind of outlier."""

    score: Score
    threshold: float
    auroc: dict[Score, dict[str, float]]


def choose_rejection(known: Logits, unknown: Mapping[str, Logits], temperature: float, accepted: float) -> RejectionRule:
    """The score with the best mean AUROC, and the threshold that accepts the share ``accepted`` of the known pictures."""
    table = {
        score: {
            name: auroc(
                out_of_distribution_scores(known, score, temperature), out_of_distribution_scores(logits, score, temperature)
            )
            for name, logits in unknown.items()
        }
        for score in SCORES
    }
    best = max(SCORES, key=lambda score: float(np.mean(list(table[score].values()))))
    return RejectionRule(best, rejection_threshold(known, best, temperature, accepted), table)
