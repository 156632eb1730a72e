"""The population stability index: how far the answers of a model are from the reference on its card.

PSI = sum over bins of (observed - expected) ln(observed / expected), of shares: the symmetric form of the Kullback-Leibler
divergence (Jeffreys, Proc. Royal Society A 1946). Of samples of n and m images of one population it is not 0, but in the mean
(bins - 1) (1/n + 1/m): divided by (1/n + 1/m) it is about chi-squared, with bins - 1 degrees of freedom (Yurdakul and Naranjo,
"Statistical properties of the population stability index", J. Risk Model Validation 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from models.reference import Quantity, Reference, smoothed_shares

# A quantity has drifted when at least MIN_OBSERVED images have a PSI above THRESHOLD + NOISE_FACTOR times what chance gives.
# ``training.drift`` chose the three by simulation; docs/drift.md has the false alarms, and what is noticed.
THRESHOLD: Final = 0.2
NOISE_FACTOR: Final = 2
MIN_OBSERVED: Final = 100
# Bins that are named as having moved most.
MOST_MOVED: Final = 3

Counts = Sequence[int] | npt.NDArray[Any]
Number = TypeVar("Number", float, npt.NDArray[Any])


def population_stability_index(observed: Counts, reference: Counts) -> npt.NDArray[np.float64]:
    """The PSI float64[...] of histograms ``observed`` [..., bins], against one reference [bins], all of counts."""
    new, old = smoothed_shares(observed), smoothed_shares(reference)
    return np.asarray(((new - old) * np.log(new / old)).sum(axis=-1))


def psi_limit(bins: int, observed: Number, reference: Number, threshold: float = THRESHOLD) -> Number:
    """The PSI from which on so many images, compared with a reference of so many, have drifted."""
    return threshold + NOISE_FACTOR * (bins - 1) * (1 / observed + 1 / reference)


def has_drifted(observed: Counts, reference: Counts, threshold: float = THRESHOLD) -> npt.NDArray[np.bool_]:
    """Whether histograms ``observed`` [..., bins] have drifted from ``reference`` [bins]: bool[...]."""
    counts = np.asarray(observed, dtype=np.float64)
    n = counts.sum(axis=-1)
    limit = psi_limit(counts.shape[-1], np.maximum(n, 1.0), np.float64(np.sum(reference)), threshold)
    return np.asarray((n >= MIN_OBSERVED) & (population_stability_index(counts, reference) > limit))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The histogram of a quantity beside its reference: ``counts`` and ``reference`` float64[bins], since Prometheus
    extrapolates counts to its windows."""

    quantity: Quantity
    bins: list[str]
    counts: npt.NDArray[np.float64]
    reference: npt.NDArray[np.float64]
    model: str = ""

    @property
    def n(self) -> int:
        """The number of images that were observed."""
        return round(float(self.counts.sum()))

    @property
    def psi(self) -> float:
        """The population stability index."""
        return float(population_stability_index(self.counts, self.reference))

    @property
    def limit(self) -> float:
        """The PSI from which on the quantity has drifted; infinite where too few images were observed."""
        if self.n < MIN_OBSERVED:
            return float("inf")
        return psi_limit(len(self.bins), self.n, float(self.reference.sum()))

    @property
    def drifted(self) -> bool:
        """Whether the quantity has drifted."""
        return bool(has_drifted(self.counts, self.reference))

    @property
    def most_moved(self) -> list[tuple[str, float, float]]:
        """The bins that contribute most to the PSI, with their share in the reference and the observed one."""
        new, old = smoothed_shares(self.counts), smoothed_shares(self.reference)
        order = np.argsort(-(new - old) * np.log(new / old))[:MOST_MOVED].tolist()
        return [(self.bins[index], float(old[index]), float(self.counts[index] / max(1, self.n))) for index in order]


def compare(quantity: Quantity, counts: Counts, reference: Reference, model: str = "") -> Comparison:
    """The histogram of a quantity, in the bins of a card's reference, beside it."""
    expected = np.asarray(reference.counts(quantity), dtype=np.float64)
    return Comparison(quantity, reference.bins(quantity), np.asarray(counts, dtype=np.float64), expected, model)
