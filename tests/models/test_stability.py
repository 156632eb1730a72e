"""The population stability index and its limit, on histograms that are drawn from known shares."""

import numpy as np
import pytest

from models.reference import PSEUDO_COUNT
from models.stability import (
    MIN_OBSERVED,
    NOISE_FACTOR,
    THRESHOLD,
    compare,
    has_drifted,
    population_stability_index,
    psi_limit,
)
from tests.support.references import N, reference

WINDOWS = 2000
SHARES = [0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01]


def test_psi_is_that_of_the_definition() -> None:
    observed, expected = [300, 700], [500, 500]
    new, old = [(count + PSEUDO_COUNT) / (1000 + 2 * PSEUDO_COUNT) for count in observed], [0.5, 0.5]
    by_hand = sum((a - b) * np.log(a / b) for a, b in zip(new, old, strict=True))
    assert population_stability_index(observed, expected) == pytest.approx(by_hand)
    assert population_stability_index(expected, expected) == 0
    assert np.isfinite(population_stability_index([1000, 0], [0, 1000]))


@pytest.mark.parametrize("size", [200, 1000])
def test_psi_of_samples_of_one_population_is_in_the_mean_what_the_limit_allows_twice(size: int) -> None:
    rng = np.random.default_rng(0)
    windows = rng.multinomial(size, SHARES, WINDOWS)
    expected = [round(10_000 * share) for share in SHARES]
    by_chance = (len(SHARES) - 1) * (1 / size + 1 / 10_000)
    mean = float(population_stability_index(windows, expected).mean())
    assert mean == pytest.approx(by_chance - 9 / 10_000, rel=0.15)
    assert psi_limit(len(SHARES), float(size), 10_000.0) == pytest.approx(THRESHOLD + NOISE_FACTOR * by_chance)


def test_limit_holds_for_many_bins_and_small_windows() -> None:
    """The case with the most noise: 64 labels, a reference of 320 pictures, and as few images as are compared at all."""
    rng = np.random.default_rng(0)
    references = rng.multinomial(320, np.full(64, 1 / 64), 50)
    windows = rng.multinomial(MIN_OBSERVED, np.full(64, 1 / 64), WINDOWS)
    assert sum(int(has_drifted(windows, one).sum()) for one in references) <= 2


def test_too_few_images_never_drift() -> None:
    assert not has_drifted([MIN_OBSERVED - 1, 0], [0, 1000])
    assert has_drifted([MIN_OBSERVED, 0], [0, 1000])
    few = compare("rejected", [0, MIN_OBSERVED - 1], reference())
    assert few.limit == float("inf") and not few.drifted


def test_comparison_names_the_bins_that_moved_most() -> None:
    found = compare("label", [0, 0, 300, *[100] * 7, 0], reference(), "digits")
    assert found.drifted and found.psi > found.limit
    assert (found.model, found.n) == ("digits", N)
    assert [name for name, _, _ in found.most_moved] == ["0", "1", "2"]
    name, expected, observed = found.most_moved[2]
    assert (name, round(expected, 2), round(observed, 2)) == ("2", 0.1, 0.3)
