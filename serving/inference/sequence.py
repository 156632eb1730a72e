"""A sequence in service: images of several characters in, texts out; a model of the catalogue reads the characters."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np

from models.card import SequenceCard
from models.sequence_decoding import best_reading, in_context, kinds_of
from preprocessing import CharacterCandidate
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.cascade import Cascade
from serving.inference.classifier import Classifier
from serving.inference.image_preprocessor import PreprocessedImage
from serving.inference.local_runner import ModelOutput
from serving.inference.observations import Observations
from serving.inference.postprocessing import Probabilities
from serving.inference.prediction import Prediction, PredictionMetrics
from serving.inference.sequence_prediction import CharacterPrediction, SequencePrediction
from serving.inference.sequence_preprocessor import SegmentedImage, SequencePreprocessor
from serving.settings import Settings

Reader = Classifier | Cascade
# Below this, a probability counts as this one, so that no reading is impossible.
SMALLEST_PROBABILITY: Final = 1e-12
# The least probability of all labels of the sequence together with which something counts as a character.
IS_CHARACTER: Final = 0.5


class SequenceModel:
    """A sequence's card and the model that reads its characters, which is also served by itself and shares its batches."""

    def __init__(self, card: SequenceCard, readers: Mapping[str, Reader], settings: Settings) -> None:
        self.card = card
        self.reader = readers[card.reader]
        specs = self.reader.preprocessor.specs
        self.preprocessor = SequencePreprocessor(specs, settings.limits, settings.max_characters)
        self.observations = Observations(card, specs[0])
        self._metrics = PredictionMetrics(card.name)
        # Half of what may be queued, so that one large image alone is never refused.
        self._call_size = max(1, settings.max_queue // 2)
        labels = self.reader.card.labels
        self._columns = [labels.index(label) for label in card.labels]
        self._has_all = len(labels) == len(card.labels)
        self._kinds = kinds_of(card.labels)

    async def predict(
        self, images: Sequence[bytes | memoryview], device: str, token: CancellationToken
    ) -> list[SequencePrediction | Problem]:
        """As ``Classifier.predict``: the candidates of all images are read together. An image that a candidate fails on has its
        problem in its place."""
        self.reader.check_device(device)
        segmented = await self.preprocessor.run(images, token)
        inputs = [one for image in segmented if isinstance(image, SegmentedImage) for one in image.inputs]
        read = iter(await self._read(inputs, device, token))
        predictions: list[SequencePrediction | Problem] = []
        for image in segmented:
            prediction = image if isinstance(image, Problem) else self._combine(image, list(islice(read, len(image.inputs))))
            if isinstance(prediction, SequencePrediction):
                self._metrics.count(prediction)
            predictions.append(prediction)
        return predictions

    def source(self, character: CharacterPrediction) -> tuple[Classifier, ModelOutput, str]:
        """The classifier, its output and its label that a character comes from, as ``Cascade.source``."""
        return self.reader.source(character.prediction, self._columns[character.index])

    def describe(self) -> dict[str, Any]:
        """The entry of ``GET /models``: the sequence runs where its reader does; ``stages`` are the models it needs."""
        card, reader = self.card, self.reader.describe()
        own = {"name": card.name, "version": card.version, "title": card.title, "card": card.model_dump(mode="json")}
        return {**reader, **own, "stages": [card.reader, *reader.get("stages", [])]}

    def warm_up(self) -> SequencePrediction:
        """Segment and combine once, so that the first request is not slower; the reader is warm already."""
        image = self.preprocessor.warm_up()
        prediction = self._combine(image, [self.reader.made_up_prediction(one) for one in image.inputs])
        assert isinstance(prediction, SequencePrediction)
        prediction.texts(1)
        return prediction

    async def _read(
        self, inputs: Sequence[PreprocessedImage], device: str, token: CancellationToken
    ) -> list[Prediction | Problem]:
        """The predictions of the reader: in one call, or in several for very many characters. When a later one is refused, its
        characters have the problem in their place.

        Raises:
            Problem, ClientDisconnect: as ``Classifier.predict``, of the first call.
        """
        predictions: list[Prediction | Problem] = []
        for start in range(0, len(inputs), self._call_size):
            part = inputs[start : start + self._call_size]
            try:
                predictions += await self.reader.predict_preprocessed(part, device, token)
            except Problem as problem:
                if not start:
                    raise
                predictions += [problem] * len(part)
        return predictions

    def _combine(self, image: SegmentedImage, read: list[Prediction | Problem]) -> SequencePrediction | Problem:
        """The prediction of an image from those of its candidates."""
        predictions: list[Prediction] = []
        for one in read:
            if isinstance(one, Problem):
                return one
            predictions.append(one)
        probabilities = np.stack([self._of_labels(prediction) for prediction in predictions])
        logarithms = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
        chosen = best_reading(image.segmentation, logarithms, self._kinds)
        lines = [image.segmentation.candidates[index].line for index in chosen]
        contextual = in_context(probabilities[chosen], lines, self._kinds)
        slowest = max(predictions, key=lambda one: one.queue_seconds + one.inference_seconds)
        return SequencePrediction(
            self.card,
            image,
            predictions[0].output,
            [
                self._character(image.segmentation.candidates[index], predictions[index], row)
                for index, row in zip(chosen, contextual, strict=True)
            ],
            slowest.queue_seconds,
            slowest.inference_seconds,
        )

    def _of_labels(self, prediction: Prediction) -> Probabilities:
        """The probabilities float64[K] of the sequence's labels, those of the reader that are one character."""
        return prediction.probabilities if self._has_all else prediction.probabilities[self._columns]

    def _character(
        self, candidate: CharacterCandidate, prediction: Prediction, probabilities: Probabilities
    ) -> CharacterPrediction:
        """A character: rejected where the reader rejects it, or where it is more likely none of the sequence's labels."""
        rejected = prediction.reject_reason is not None or float(probabilities.sum()) < IS_CHARACTER
        return CharacterPrediction(candidate, prediction, probabilities, int(probabilities.argmax()), rejected)


Model = Classifier | Cascade | SequenceModel
