"""Draws windows from the answers of a model, and counts which of them are noticed as drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.answers import Answers
from models.reference import QUANTITIES, Quantity, Reference
from models.stability import THRESHOLD, has_drifted, population_stability_index

HOURS: Final = 720  # of a month
WINDOW_HOURS: Final = 6.0  # of the alert in deploy/monitoring
STEPS: Final = 36  # how often a window is examined within its own length
WINDOWS: Final = 400
NOTICED: Final = 0.99
SIZES: Final = (100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000)
SHARES: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
WINDOW: Final = 1000

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Noticed:
    """How soon a change is noticed: by which quantities, the least pictures in a window of nothing else, and the least share of
    a window of ``WINDOW`` pictures; None where even the largest is not enough."""

    quantities: list[Quantity]
    pictures: int | None
    share: float | None


class Binned:
    """Answers as their bins in a reference, from which histograms are drawn."""

    def __init__(self, answers: Answers, reference: Reference) -> None:
        self.reference = reference
        self.n = len(answers)
        self.indices = {quantity: answers.bins(quantity, reference) for quantity in QUANTITIES}

    def histograms(self, rows: Rows, quantity: Quantity) -> npt.NDArray[np.int64]:
        """The histograms int64[windows, bins] of a quantity over windows of answers, ``rows`` int64[windows, n]."""
        bins = len(self.reference.bins(quantity))
        places = self.indices[quantity][rows] + bins * np.arange(len(rows))[:, None]
        return np.bincount(places.ravel(), minlength=bins * len(rows)).reshape(len(rows), bins)


def power(
    usual: Binned, changed: Binned, n: int, new: int, rng: np.random.Generator, threshold: float = THRESHOLD
) -> dict[Quantity, float]:
    """The share of windows of ``n`` pictures that each quantity notices, where ``new`` of the pictures are ``changed``."""
    noticed: dict[Quantity, float] = {}
    old_rows = rng.integers(0, usual.n, (WINDOWS, n - new))
    new_rows = rng.integers(0, changed.n, (WINDOWS, new))
    for quantity in QUANTITIES:
        counts = usual.histograms(old_rows, quantity) + changed.histograms(new_rows, quantity)
        noticed[quantity] = float(has_drifted(counts, usual.reference.counts(quantity), threshold).mean())
    return noticed


def chance_psi(usual: Binned, quantity: Quantity, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The PSI float64[windows] of windows of ``n`` unchanged pictures."""
    counts = usual.histograms(rng.integers(0, usual.n, (WINDOWS, n)), quantity)
    return population_stability_index(counts, usual.reference.counts(quantity))


def notice(usual: Binned, changed: Binned, threshold: float = THRESHOLD, seed: int = 0) -> Noticed:
    """How soon a change is noticed in ``NOTICED`` of the windows."""
    rng = np.random.default_rng(seed)
    pictures = share = None
    quantities: list[Quantity] = []
    for n in SIZES:
        found = power(usual, changed, n, n, rng, threshold)
        if max(found.values()) >= NOTICED:
            pictures, quantities = n, [quantity for quantity in QUANTITIES if found[quantity] >= NOTICED]
            break
    for part in SHARES if pictures is not None else ():
        if max(power(usual, changed, WINDOW, round(part * WINDOW), rng, threshold).values()) >= NOTICED:
            share = part
            break
    return Noticed(quantities, pictures, share)


def false_alarms(
    usual: Binned,
    per_hour: float,
    months: int,
    *,
    window_hours: float = WINDOW_HOURS,
    per_visitor: int = 1,
    threshold: float = THRESHOLD,
    seed: int = 0,
) -> float:
    """False alarms a month, of all quantities together, with pictures that come at random (Poisson).

    The window moves on ``STEPS`` times within its length, and counts once for as long as it is above the limit. The pictures of
    each month are drawn from another bootstrap sample of the answers (Efron, Annals of Statistics 1979), since the reference is
    a sample itself. With ``per_visitor`` each visitor sends so many pictures of one label.
    """
    rng = np.random.default_rng(seed)
    alarms = 0
    steps = round(HOURS * STEPS / window_hours)
    by_label = [np.flatnonzero(usual.indices["label"] == index) for index in range(len(usual.reference.bins("label")))]
    for _ in range(months):
        population = rng.integers(0, usual.n, usual.n)
        arrivals = rng.poisson(per_hour * window_hours / STEPS / per_visitor, steps)
        rows = population[rng.integers(0, usual.n, int(arrivals.sum()))]
        step = np.repeat(np.arange(steps), arrivals)
        if per_visitor > 1:
            rows, step = _visits(usual, rows, by_label, per_visitor, rng), np.repeat(step, per_visitor)
        above = np.zeros(steps - STEPS + 1, dtype=np.bool_)
        for quantity in QUANTITIES:
            bins = len(usual.reference.bins(quantity))
            counts = np.bincount(usual.indices[quantity][rows] + bins * step, minlength=bins * steps).reshape(steps, bins)
            total = np.concatenate([np.zeros((1, bins), dtype=np.int64), counts.cumsum(axis=0)])
            above |= has_drifted(total[STEPS:] - total[:-STEPS], usual.reference.counts(quantity), threshold)
        alarms += int(above[0]) + int((above[1:] & ~above[:-1]).sum())
    return alarms / months


def consecutive_windows(usual: Binned, windows: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """The PSI float64[windows, quantities] of all answers in random order, cut into windows.

    Raises:
        ValueError: one of them would have been noticed as drift.
    """
    order = np.random.default_rng(seed).permutation(usual.n)
    rows = order[: usual.n // windows * windows].reshape(windows, -1)
    found = []
    for quantity in QUANTITIES:
        counts, reference = usual.histograms(rows, quantity), usual.reference.counts(quantity)
        if has_drifted(counts, reference).any():
            raise ValueError(f"{quantity} is noticed as drift in {int(has_drifted(counts, reference).sum())} windows")
        found.append(population_stability_index(counts, reference))
    return np.stack(found, axis=1)


def _visits(usual: Binned, firsts: Rows, by_label: Sequence[Rows], per_visitor: int, rng: np.random.Generator) -> Rows:
    """The rows of visitors who send ``per_visitor`` pictures each, of the label of their first: int64[visitors * pictures]."""
    labels = usual.indices["label"][firsts]
    sizes = np.array([len(rows) for rows in by_label])
    offsets = np.concatenate([[0], sizes.cumsum()[:-1]])
    places = (rng.random((len(firsts), per_visitor)) * sizes[labels][:, None]).astype(np.int64)
    return np.asarray(np.concatenate(by_label)[(offsets[labels][:, None] + places).ravel()])
