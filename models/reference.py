"""The reference of a model: how often labels, confidences, rejections and mean ink occur in its answers on a known data set.

The answers of a running service are compared with it: ``models.stability``.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

from preprocessing import InputSpec, PhotoGeometry, Tensor, tensor

Quantity = Literal["label", "confidence", "rejected", "ink"]
Counts = npt.NDArray[np.int64]

QUANTITIES: Final[tuple[Quantity, ...]] = ("label", "confidence", "rejected", "ink")
# The bin of all labels that have none of their own. A label of this name is counted in it.
OTHER: Final = "other"
MAX_LABEL_BINS: Final = 63
# A rarer label has no bin of its own: its share would be noise (Cochran's rule for the chi-squared test, Biometrics 1954).
MIN_COUNT: Final = 5
MIN_PICTURES: Final = 200
# The bins of confidence and ink lie between these quantiles of the reference; tails are fine, because changes begin there.
CONFIDENCE_QUANTILES: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75)
INK_QUANTILES: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
DECIMALS: Final = 4  # of an edge; answers have six
# Each bin counts so much more than was observed, so that none is empty (Krichevsky & Trofimov, IEEE Trans. Inf. Theory 1981).
PSEUDO_COUNT: Final = 0.5
# Of larger inputs, every STEP-th value is read for the mean ink: 7 us instead of 20 for 224x224 in colour.
WHOLE_VALUES: Final = 16_384
STEP: Final = 37

Count = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Histogram(Section):
    """Counts of values from 0 to 1: below the first of ``edges``, between two, and from the last on."""

    edges: list[Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=1, max_length=31)
    counts: list[Count]

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges must rise")
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges need {len(self.edges) + 1} counts, not {len(self.counts)}")
        return self

    @property
    def bins(self) -> list[str]:
        """The name of each bin, such as ``0.95-0.99``."""
        return interval_names(self.edges)


def interval_names(edges: Sequence[float]) -> list[str]:
    """The names of the bins between ``edges``, from 0 to 1."""
    return [f"{low:g}-{high:g}" for low, high in pairwise([0.0, *edges, 1.0])]


class Reference(Section):
    """Counts of the answers to the ``n`` pictures of a split of a data set.

    ``label`` counts the most frequent top labels, ``other`` all others. ``confidence`` is the calibrated probability of the top
    label, ``ink`` that of ``InkMeter``, of a cascade with the input of its first model.
    """

    dataset: str = Field(max_length=500)
    split: str = Field(max_length=500)
    n: int = Field(gt=0)
    label: dict[str, Count] = Field(max_length=MAX_LABEL_BINS)
    other: Count
    confidence: Histogram
    rejected: Count
    ink: Histogram

    @model_validator(mode="after")
    def _counts_add_up(self) -> Self:
        for quantity in QUANTITIES:
            counts = self.counts(quantity)
            if sum(counts) != self.n or min(counts) < 0:
                raise ValueError(f"the counts of {quantity} must add up to n, {self.n}, not to {sum(counts)}")
        if OTHER in self.label:
            raise ValueError(f"the label {OTHER!r} must be counted in other, not in label")
        return self

    def bins(self, quantity: Quantity) -> list[str]:
        """The names of the bins of a quantity."""
        if quantity == "label":
            return [*self.label, OTHER]
        if quantity == "rejected":
            return ["false", "true"]
        return (self.confidence if quantity == "confidence" else self.ink).bins

    def counts(self, quantity: Quantity) -> list[int]:
        """The number of answers in each bin of a quantity."""
        if quantity == "label":
            return [*self.label.values(), self.other]
        if quantity == "rejected":
            return [self.n - self.rejected, self.rejected]
        return (self.confidence if quantity == "confidence" else self.ink).counts

    def shares(self, quantity: Quantity) -> list[float]:
        """The share of each bin of a quantity, never 0: see ``smoothed_shares``."""
        shares: list[float] = smoothed_shares(self.counts(quantity)).tolist()
        return shares

    def indices(self, quantity: Quantity, values: Iterable[Any]) -> Counts:
        """The bin of each of N values of a quantity, labels, numbers or truth values: ``int64[N]``."""
        if quantity == "label":
            places = {label: index for index, label in enumerate(self.label)}
            found = [places.get(value, len(places)) for value in values]
        elif quantity == "rejected":
            found = [int(value) for value in values]
        else:
            edges = (self.confidence if quantity == "confidence" else self.ink).edges
            found = [bisect_right(edges, value) for value in values]
        return np.array(found, dtype=np.int64)

    def count(self, quantity: Quantity, values: Iterable[Any]) -> Counts:
        """Count values of a quantity by bin: ``int64[bins]``."""
        return np.bincount(self.indices(quantity, values), minlength=len(self.bins(quantity)))


def smoothed_shares(counts: Sequence[int] | npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The shares float64[..., bins] of counts, with ``PSEUDO_COUNT`` more in each bin, so that none is 0; they sum to 1."""
    more = np.asarray(counts, dtype=np.float64) + PSEUDO_COUNT
    return np.asarray(more / more.sum(axis=-1, keepdims=True))


def build_reference(
    labels: Sequence[str],
    confidences: Sequence[float],
    rejected: Sequence[bool],
    inks: Sequence[float],
    *,
    dataset: str,
    split: str,
) -> Reference:
    """The reference of the answers to the pictures of a split: their top labels, confidences, rejections and mean inks."""
    found = Counter(label for label in labels if label != OTHER).most_common(MAX_LABEL_BINS)
    named = {label: count for label, count in found if count >= MIN_COUNT}
    return Reference(
        dataset=dataset,
        split=split,
        n=len(labels),
        label=dict(sorted(named.items())),
        other=len(labels) - sum(named.values()),
        confidence=_histogram(confidences, CONFIDENCE_QUANTILES),
        rejected=sum(map(bool, rejected)),
        ink=_histogram(inks, INK_QUANTILES),
    )


def _histogram(values: Sequence[float], quantiles: Sequence[float]) -> Histogram:
    """A histogram between quantiles, without those beyond which too few values lie."""
    counted = [share for share in quantiles if min(share, 1 - share) * len(values) >= MIN_COUNT] or [0.5]
    edges = {round(float(edge), DECIMALS) for edge in np.quantile(values, counted)}
    kept = sorted(edge for edge in edges if 0 < edge < 1) or [0.5]
    indices = np.array([bisect_right(kept, value) for value in values], dtype=np.int64)
    return Histogram(edges=kept, counts=np.bincount(indices, minlength=len(kept) + 1).tolist())


class InkMeter:
    """Measures the mean ink in inputs of a model: the mean level of all values, with the normalisation undone.

    For ink and objects, 0 is background everywhere and 1 ink, whatever the polarity of the model. For photos, 0 is black and
    1 white, in the mean over the colours. An alpha channel is left out. Of inputs with more than ``WHOLE_VALUES`` values every
    ``STEP``-th is read.
    """

    def __init__(self, spec: InputSpec) -> None:
        black, white = (tensor(np.full((spec.height, spec.width), level, np.uint8), spec).ravel() for level in (0, 255))
        dark_ink = not isinstance(spec.geometry, PhotoGeometry) and spec.geometry.polarity == "dark_on_light"
        self._step = 1 if black.size <= WHOLE_VALUES else STEP
        background, ink = (white, black) if dark_ink else (black, white)
        background = background[:: self._step].astype(np.float64)
        span = ink[:: self._step] - background
        used = span != 0
        weights = np.divide(1.0, span, out=np.zeros_like(span), where=used) / max(1, int(used.sum()))
        self._weights = weights.astype(np.float32)
        self._offset = float(weights @ background)

    def __call__(self, image: Tensor) -> float:
        """The mean ink of one input of the model."""
        values = image.ravel() if self._step == 1 else image.ravel()[:: self._step]
        return float(values.dot(self._weights)) - self._offset
