"""Choosing the rejection rule, on small cases with known results."""

import numpy as np
import pytest

from models.calibration import out_of_distribution_scores
from training.evaluation.rejection import auroc, choose_rejection


def test_auroc_counts_pairs_and_half_the_ties() -> None:
    assert auroc(np.array([3.0, 2.0]), np.array([1.0, 0.0])) == 1
    assert auroc(np.array([0.0]), np.array([1.0])) == 0
    # Of the six pairs four are won and one is tied.
    assert auroc(np.array([3.0, 1.0]), np.array([2.0, 1.0, 0.0])) == pytest.approx(4.5 / 6)


def test_rule_has_the_best_score_and_the_requested_acceptance_rate() -> None:
    random = np.random.default_rng(1)
    known = random.normal(0, 1, (1000, 3)) + np.array([8, 0, 0])
    outliers = {"noise": random.normal(0, 1, (500, 3))}
    unsure = known - np.array([2, 0, 0])
    rule = choose_rejection(known, [], outliers, 1.0, acceptance_rate=0.97)
    accepted = out_of_distribution_scores(known, rule.score, 1.0) >= rule.threshold
    assert accepted.mean() == pytest.approx(0.97, abs=0.002)
    rule = choose_rejection(known, [known, unsure], outliers, 1.0, acceptance_rate=0.97)
    accepted = out_of_distribution_scores(unsure, rule.score, 1.0) >= rule.threshold
    assert accepted.mean() == pytest.approx(0.97, abs=0.002)
    assert rule.auroc[rule.score]["noise"] == max(table["noise"] for table in rule.auroc.values()) > 0.99
