"""Counts the answers of a model by bin of label, confidence, rejection and mean ink, and exports the reference on its card."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from models.card import Card
from models.reference import MAX_LABEL_BINS, OTHER, QUANTITIES, InkMeter, Quantity, interval_names
from preprocessing import InputSpec, Tensor
from serving.inference.postprocessing import Probabilities
from serving.inference.sequence_prediction import AnyPrediction, SequencePrediction
from serving.process import metrics

# The edges of the bins of confidence and ink where a card has no reference.
TENTHS: Final = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

# The bins of the references that this process exported last, and their models.
_exported: set[tuple[str, str, str]] = set()
_models: set[str] = set()


class Observations:
    """Counts the predictions of one model by bin; ``spec`` is the input of the model, of a cascade that of its first model.
    ``ink`` measures the mean ink of such an input.

    Of a sequence each character is counted, as an image of its own: there are as many bins of labels as for its reader.

    An image costs four increments and one pass over the model's input, about 10 us: every counter is looked up here.
    """

    def __init__(self, card: Card, spec: InputSpec) -> None:
        counters = {
            quantity: [metrics.observed_images.labels(card.name, quantity, name) for name in names]
            for quantity, names in _bins(card).items()
        }
        by_label = dict(zip(_bins(card)["label"], counters["label"], strict=True))
        self._labels = [by_label.get(label, by_label[OTHER]) for label in card.labels]
        self._confidences, self._rejected, self._inks = counters["confidence"], counters["rejected"], counters["ink"]
        self._confidence_edges = card.reference.confidence.edges if card.reference else TENTHS
        self._ink_edges = card.reference.ink.edges if card.reference else TENTHS
        self.ink = InkMeter(spec)

    def count(self, prediction: AnyPrediction) -> None:
        """Count an image that is answered."""
        if isinstance(prediction, SequencePrediction):
            for one in prediction.characters:
                self._count(one.index, one.probabilities, one.prediction.image.tensor, rejected=one.rejected)
        else:
            rejected = prediction.reject_reason is not None
            top = int(prediction.probabilities.argmax())
            self._count(top, prediction.probabilities, prediction.image.tensor, rejected=rejected)

    def _count(self, top: int, probabilities: Probabilities, image: Tensor, *, rejected: bool) -> None:
        """Count one image, or one character of a sequence."""
        self._labels[top].inc()
        self._confidences[bisect_right(self._confidence_edges, probabilities[top])].inc()
        self._rejected[rejected].inc()
        self._inks[bisect_right(self._ink_edges, self.ink(image))].inc()


def export_references(cards: Iterable[Card]) -> None:
    """Export the references of the models in service, in place of those that were in service before."""
    expected: dict[tuple[str, str, str], float] = {}
    pictures: dict[str, int] = {}
    for card in cards:
        pictures[card.name] = card.reference.n if card.reference else 0
        if reference := card.reference:
            for quantity in QUANTITIES:
                names = zip(reference.bins(quantity), reference.shares(quantity), strict=True)
                expected.update(((card.name, quantity, name), share) for name, share in names)
    # A sample cannot be removed from the file of a worker.
    for labels in _exported | expected.keys():
        metrics.reference_share.labels(*labels).set(expected.get(labels, 0.0))
    for model in _models | pictures.keys():
        metrics.reference_images.labels(model).set(pictures.get(model, 0))
    _exported.update(expected)
    _models.update(pictures)


def _bins(card: Card) -> dict[Quantity, list[str]]:
    """The names of the bins of each quantity: those of the card's reference, or the first labels and tenths."""
    if card.reference:
        return {quantity: card.reference.bins(quantity) for quantity in QUANTITIES}
    labels = [label for label in card.labels if label != OTHER][:MAX_LABEL_BINS]
    tenths = interval_names(TENTHS)
    return {"label": [*labels, OTHER], "confidence": tenths, "rejected": ["false", "true"], "ink": tenths}
