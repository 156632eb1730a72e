"""Makes what was observed the reference of a card: answers to one's own pictures, known to be right, not to a test set."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deploy.drift.exposition import DriftError
from models.card import Card, read_card, write_card
from models.reference import MIN_PICTURES, QUANTITIES, Histogram, Reference
from models.stability import Comparison


def renew_reference(path: Path, comparisons: Sequence[Comparison]) -> Card:
    """Write the observed histograms of a card's model into the card, in the bins of its reference.

    Raises:
        DriftError: the card has no reference or one of other bins, or too few images were observed.
    """
    card = read_card(path)
    observed = {one.quantity: one for one in comparisons if one.model == card.name}
    reference = card.reference
    if reference is None or any(
        quantity not in observed or observed[quantity].bins != reference.bins(quantity) for quantity in QUANTITIES
    ):
        raise DriftError(
            f"{path}: not the card of the model that was observed, in all four quantities. Give the one in service."
        )
    n = min(one.n for one in observed.values())
    if n < MIN_PICTURES:
        raise DriftError(f"{n} images of {card.name} were observed; a reference takes at least {MIN_PICTURES}.")
    counts = {quantity: whole_counts(observed[quantity].counts, n) for quantity in QUANTITIES}
    renewed = Reference(
        dataset="answers of the service",
        split=f"observed until {date.today().isoformat()}",
        n=n,
        label=dict(zip(reference.label, counts["label"], strict=False)),
        other=counts["label"][-1],
        confidence=Histogram(edges=reference.confidence.edges, counts=counts["confidence"]),
        rejected=counts["rejected"][1],
        ink=Histogram(edges=reference.ink.edges, counts=counts["ink"]),
    )
    written = card.model_copy(update={"reference": renewed})
    write_card(written, path)
    return written


def whole_counts(counts: npt.NDArray[np.float64], n: int) -> list[int]:
    """Counts as whole numbers that add up to ``n``, by largest remainder."""
    exact = np.maximum(counts, 0) * (n / counts.sum())
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact)[: n - int(whole.sum())]] += 1
    found: list[int] = whole.tolist()
    return found
