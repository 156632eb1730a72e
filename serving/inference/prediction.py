"""What a model computes for an image, and what is predicted from it."""

from dataclasses import dataclass, field
from typing import Protocol

from serving.inference.image_preprocessor import PreprocessedImage
from serving.inference.local_runner import ModelOutput
from serving.inference.postprocessing import Probabilities
from serving.process import metrics


@dataclass(slots=True)
class Prediction:
    """The prediction of a classifier or a cascade for one image.

    ``probabilities`` float64[K] are those of the card's labels, calibrated; ``reject_reason`` is None where the image is not
    rejected. ``output`` is what the model computed, or the first model of a cascade; for a cascade ``then`` has the outputs of
    the other models by category, ``categories`` float64[C] the probabilities of the categories, and ``category`` the predicted
    one with its probability.
    """

    image: PreprocessedImage
    output: ModelOutput
    probabilities: Probabilities
    reject_reason: str | None = None
    categories: Probabilities | None = None
    category: tuple[str, float] | None = None
    then: dict[str, ModelOutput] = field(default_factory=dict)

    @property
    def queue_seconds(self) -> float:
        """Seconds in queues: of the first model, and of the slowest of the others, which run side by side."""
        return self.output.queue_seconds + (self._slowest_then().queue_seconds if self.then else 0.0)

    @property
    def inference_seconds(self) -> float:
        """Seconds in calls of models, counted like ``queue_seconds``."""
        return self.output.inference_seconds + (self._slowest_then().inference_seconds if self.then else 0.0)

    def _slowest_then(self) -> ModelOutput:
        return max(self.then.values(), key=lambda output: output.queue_seconds + output.inference_seconds)


class Timed(Protocol):
    """What a prediction of any kind has."""

    @property
    def queue_seconds(self) -> float:
        """Seconds in queues."""

    @property
    def inference_seconds(self) -> float:
        """Seconds in calls of models."""

    @property
    def reject_reason(self) -> str | None:
        """Why the image is rejected, or None."""


class PredictionMetrics:
    """Counts the predictions of one model in the metrics."""

    def __init__(self, model: str) -> None:
        self._images = metrics.images.labels(model)
        self._rejected = metrics.rejected.labels(model)

    def count(self, prediction: Timed) -> None:
        """Count an image that was predicted, and its times."""
        metrics.queue_seconds.observe(prediction.queue_seconds)
        metrics.inference_seconds.observe(prediction.inference_seconds)
        self._images.inc()
        if prediction.reject_reason is not None:
            self._rejected.inc()
