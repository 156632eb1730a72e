"""The answers of a classifier to many pictures, as the service gives them: top label, confidence, rejection, and mean ink."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.calibration import out_of_distribution_scores
from models.card import ModelCard
from models.outputs import Logits, probabilities
from models.reference import Counts, Quantity, Reference, build_reference


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to N pictures: ``labels``, ``confidences`` float64[N], ``rejected`` bool[N], ``inks`` float64[N]."""

    labels: list[str]
    confidences: npt.NDArray[np.float64]
    rejected: npt.NDArray[np.bool_]
    inks: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    def reference(self, dataset: str, split: str) -> Reference:
        """The reference of a card, if these pictures are a split of a data set."""
        confidences, rejected, inks = self.confidences.tolist(), self.rejected.tolist(), self.inks.tolist()
        return build_reference(self.labels, confidences, rejected, inks, dataset=dataset, split=split)

    def bins(self, quantity: Quantity, reference: Reference) -> Counts:
        """The bin of each answer in a reference, int64[N]."""
        values: dict[Quantity, Iterable[Any]] = {
            "label": self.labels,
            "confidence": self.confidences,
            "rejected": self.rejected,
            "ink": self.inks,
        }
        return reference.indices(quantity, values[quantity])


def answers_of(logits: Logits, characters: Sequence[int], inks: Sequence[float], card: ModelCard) -> Answers:
    """The answers of a card's model, from the logits float32[N,K] for N pictures and the characters counted in each.

    A picture is rejected as in the service: its score is below the card's threshold, or it shows several characters.
    """
    likely = probabilities(logits, card.output, card.calibration.temperature)
    confidences = likely.max(axis=1)
    if card.rejection.score == "max_softmax":
        scores = confidences
    else:
        scores = out_of_distribution_scores(logits, card.rejection.score, card.calibration.temperature)
    several = (np.asarray(characters) > 1) & card.single
    labels = [card.labels[index] for index in likely.argmax(axis=1).tolist()]
    return Answers(labels, confidences, (scores < card.rejection.threshold) | several, np.asarray(inks, dtype=np.float64))
