"""A cascade in service: its first model predicts a category, and the models of likely categories predict the label."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from models.card import CascadeCard
from serving.errors import Problem
from serving.inference.cancellation import CancellationToken
from serving.inference.classifier import NO_SESSION, Classifier
from serving.inference.image_preprocessor import ImagePreprocessor, PreprocessedImage
from serving.inference.local_runner import ModelOutput
from serving.inference.observations import Observations
from serving.inference.postprocessing import Probabilities, probabilities_of, reject_reason, several_reason
from serving.inference.prediction import Prediction, PredictionMetrics
from serving.inference.sessions import DEVICES
from serving.settings import Settings

# The model of a category runs on every image whose category has at least this probability: an O or a 0 goes to two models.
MIN_PROBABILITY: Final = 0.05


class Cascade:
    """A cascade's card and its classifiers by tag, which are also served by themselves: a stage shares its batches with other
    requests to the same model."""

    def __init__(self, card: CascadeCard, models: Mapping[str, Classifier], settings: Settings) -> None:
        self.card = card
        self.first = models[card.first]
        self.then = {category: models[tag] for category, tag in card.then.items()}
        self.stages = list(dict.fromkeys([self.first, *self.then.values()]))
        specs = list(dict.fromkeys(stage.card.input for stage in self.stages))
        self.observations = Observations(card, specs[0])
        self._metrics = PredictionMetrics(card.name)
        self.preprocessor = ImagePreprocessor(specs, settings.limits)
        self._spec_index = {stage: specs.index(stage.card.input) for stage in self.stages}
        self._category_index = {category: index for index, category in enumerate(self.first.card.labels)}
        # Categories without a model, which are labels of the cascade themselves.
        self._label_categories = [index for category, index in self._category_index.items() if category not in self.then]
        self._category_of = [category for category, model in self.then.items() for _ in model.card.labels]
        self._category_of += [self.first.card.labels[index] for index in self._label_categories]

    async def predict(
        self, images: Sequence[bytes | memoryview], device: str, token: CancellationToken
    ) -> list[Prediction | Problem]:
        """As ``Classifier.predict``: every stage runs once for all images; one that any stage fails on has its problem in its
        place."""
        self.check_device(device)
        processed = await self.preprocessor.run(images, token)
        read = iter(await self.predict_preprocessed([one for one in processed if not isinstance(one, Problem)], device, token))
        predictions = [image if isinstance(image, Problem) else next(read) for image in processed]
        for prediction in predictions:
            if isinstance(prediction, Prediction):
                self._metrics.count(prediction)
        return predictions

    async def predict_preprocessed(
        self, images: Sequence[PreprocessedImage], device: str, token: CancellationToken
    ) -> list[Prediction | Problem]:
        """As ``predict``, for inputs of ``preprocessor``, which are not counted in the metrics."""
        first = [image.tensors[self._spec_index[self.first]] for image in images]
        outputs = await self.first.infer(first, device, token)
        predictions = [self._first(image, output) for image, output in zip(images, outputs, strict=True)]
        await asyncio.gather(*(self._run_stage(category, predictions, device, token) for category in self.then))
        for prediction in predictions:
            if isinstance(prediction, Prediction):
                self._combine(prediction)
        return predictions

    def check_device(self, device: str) -> None:
        """Return if all models run on ``device``.

        Raises:
            Problem: as ``Classifier.batcher``.
        """
        for stage in self.stages:
            stage.check_device(device)

    def source(self, prediction: Prediction, index: int | None = None) -> tuple[Classifier, ModelOutput, str]:
        """The classifier, its output and its label that a prediction comes from; the first model where the label is a
        category, or of a category whose model did not run. ``index`` is that of a label of the card, by default the
        likeliest."""
        index = int(prediction.probabilities.argmax()) if index is None else index
        category = self._category_of[index]
        if category in prediction.then:
            return self.then[category], prediction.then[category], self.card.labels[index]
        return self.first, prediction.output, category

    def joint(self, prediction: Prediction) -> Probabilities:
        """P(category) P(label | category) of the card's labels, float64[K], sums to 1.

        A category without a model is a label itself. The labels of a model that did not run share the probability of its
        category evenly.
        """
        assert prediction.categories is not None
        parts = []
        for category, model in self.then.items():
            if output := prediction.then.get(category):
                conditional = probabilities_of(output.logits, model.card)
            else:
                conditional = np.full(len(model.card.labels), 1 / len(model.card.labels))
            parts.append(prediction.categories[self._category_index[category]] * conditional)
        return np.concatenate([*parts, prediction.categories[self._label_categories]])

    def describe(self) -> dict[str, Any]:
        """The entry of ``GET /models``: the cascade runs where all its models do; ``sha256`` is that of theirs in a row."""
        card = self.card
        reasons = {name: self._unavailable_reason(name) for name in DEVICES}
        providers = (self.first.runners[name].provider for name, reason in reasons.items() if reason is None)
        digests = "".join(stage.card.sha256 for stage in [self.first, *self.then.values()])
        return {
            "name": card.name,
            "version": card.version,
            "title": card.title,
            "sha256": hashlib.sha256(digests.encode("ascii")).hexdigest(),
            "providers": list(providers),
            "devices": {name: {"available": reason is None, "reason": reason} for name, reason in reasons.items()},
            "card": card.model_dump(mode="json"),
            "stages": [stage.card.tag for stage in self.stages],
        }

    def warm_up(self) -> Prediction:
        """Combine made-up outputs once, so that the first request is not slower; the models are warm already."""
        return self.made_up_prediction(self.preprocessor.warm_up())

    def made_up_prediction(self, image: PreprocessedImage) -> Prediction:
        """The prediction that would follow from logits that are all zero, in all models."""
        outputs = {stage: ModelOutput(np.zeros(len(stage.card.labels), np.float32), 1, "", 0.0) for stage in self.stages}
        prediction = self._first(image, outputs[self.first])
        assert isinstance(prediction, Prediction)
        prediction.then.update((category, outputs[model]) for category, model in self.then.items())
        self._combine(prediction)
        return prediction

    def _first(self, image: PreprocessedImage, output: ModelOutput | Problem) -> Prediction | Problem:
        """The prediction as far as the first model knows: its probabilities are those of the categories."""
        if isinstance(output, Problem):
            return output
        categories = probabilities_of(output.logits, self.first.card)
        return Prediction(image, output, categories, categories=categories)

    async def _run_stage(
        self, category: str, predictions: list[Prediction | Problem], device: str, token: CancellationToken
    ) -> None:
        """Run the model of a category on the images that are likely of it; a problem takes the place of the prediction."""
        model = self.then[category]
        selected = {
            index: prediction
            for index, prediction in enumerate(predictions)
            if isinstance(prediction, Prediction) and self._is_likely(prediction, category)
        }
        tensors = [prediction.image.tensors[self._spec_index[model]] for prediction in selected.values()]
        try:
            outputs = await model.infer(tensors, device, token)
        except Problem as problem:
            outputs = [problem] * len(selected)
        for (index, prediction), output in zip(selected.items(), outputs, strict=True):
            if isinstance(output, Problem):
                predictions[index] = output
            else:
                prediction.then[category] = output

    def _is_likely(self, prediction: Prediction, category: str) -> bool:
        """Whether a category has at least ``MIN_PROBABILITY``, or is the likeliest."""
        assert prediction.categories is not None
        probability = prediction.categories[self._category_index[category]]
        return bool(probability >= min(MIN_PROBABILITY, prediction.categories.max()))

    def _combine(self, prediction: Prediction) -> None:
        """Complete a prediction from the outputs of all stages that ran."""
        prediction.probabilities = self.joint(prediction)
        category = self._category_of[int(prediction.probabilities.argmax())]
        assert prediction.categories is not None
        prediction.category = category, float(prediction.categories[self._category_index[category]])
        prediction.reject_reason = self._reject_reason(prediction, category)

    def _reject_reason(self, prediction: Prediction, category: str) -> str | None:
        """Why the first model rejects the image, or the model of ``category``."""
        outputs = [(self.first, prediction.output)]
        if category in prediction.then:
            outputs.append((self.then[category], prediction.then[category]))
        for model, _ in outputs:
            if reason := several_reason(model.card, prediction.image.characters[self._spec_index[model]]):
                return reason
        for model, output in outputs:
            card, probabilities = model.card, probabilities_of(output.logits, model.card)
            if reason := reject_reason(output.logits, probabilities, card.rejection, f"the model {card.name}"):
                return reason
        return None

    def _unavailable_reason(self, device: str) -> str | None:
        """Why the cascade does not run on a device, or None where it does."""
        for stage in self.stages:
            if device not in stage.available():
                return f"{stage.card.name}: {stage.reasons.get(device, NO_SESSION)}"
        return None
