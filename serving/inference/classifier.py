"""A classifier in service: images in, predictions out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import anyio.to_thread
import numpy as np

from models.card import ModelCard
from preprocessing import Tensor
from serving.errors import Problem
from serving.inference.batcher import Batcher
from serving.inference.cancellation import CancellationToken
from serving.inference.image_preprocessor import ImagePreprocessor, PreprocessedImage
from serving.inference.local_runner import LocalRunner, ModelOutput, Runner, max_batch_size, warm_up_sizes
from serving.inference.observations import Observations
from serving.inference.postprocessing import probabilities_of, reject_reason, several_reason
from serving.inference.prediction import Prediction, PredictionMetrics
from serving.inference.sessions import DEVICES
from serving.process import metrics
from serving.settings import Settings

NO_SESSION: Final = "It is not served there."


class Classifier:
    """A model's card, its runners by device, and a batcher for each; ``reasons`` says why a device has none."""

    def __init__(self, card: ModelCard, runners: Mapping[str, Runner], reasons: Mapping[str, str], settings: Settings) -> None:
        self.card = card
        self.runners = runners
        self.reasons = reasons
        self.preprocessor = ImagePreprocessor([card.input], settings.limits)
        self.observations = Observations(card, card.input)
        self._metrics = PredictionMetrics(card.name)
        self._max_batch_size = max_batch_size(card, settings)
        self._batchers = {
            device: Batcher(
                runner,
                max_batch_size=self._max_batch_size,
                max_queue=settings.max_queue,
                depth=metrics.queue_depth.labels(card.name, device),
            )
            for device, runner in runners.items()
        }

    async def predict(
        self, images: Sequence[bytes | memoryview], device: str, token: CancellationToken
    ) -> list[Prediction | Problem]:
        """Predict for encoded images, in order; one that fails has its problem in its place.

        Raises:
            Problem: ``device_unavailable``; ``deadline``, ``overloaded`` or ``unavailable`` where it holds for all images.
            ClientDisconnect: the client closed its connection.
        """
        self.check_device(device)
        processed = await self.preprocessor.run(images, token)
        read = iter(await self.predict_preprocessed([one for one in processed if not isinstance(one, Problem)], device, token))
        return [self._counted(image if isinstance(image, Problem) else next(read)) for image in processed]

    async def predict_preprocessed(
        self, images: Sequence[PreprocessedImage], device: str, token: CancellationToken
    ) -> list[Prediction | Problem]:
        """As ``predict``, for inputs of ``preprocessor``, which are not counted in the metrics."""
        outputs = await self.infer([image.tensor for image in images], device, token)
        return [
            output if isinstance(output, Problem) else self._prediction(image, output)
            for image, output in zip(images, outputs, strict=True)
        ]

    async def infer(self, tensors: Sequence[Tensor], device: str, token: CancellationToken) -> list[ModelOutput | Problem]:
        """The outputs of preprocessed images, each an input of the model.

        Raises:
            Problem, ClientDisconnect: as ``Batcher.submit``; ``device_unavailable``.
        """
        if not tensors:
            return []
        batcher = self.batcher(device)
        return await batcher.submit(tensors, seconds=token.seconds_left, is_disconnected=token.is_disconnected)

    async def infer_in_batches(self, tensors: Iterable[Tensor], device: str, token: CancellationToken) -> list[Tensor]:
        """The logits float32[K] of many images of one request, which are taken from ``tensors`` a batch at a time.

        Raises:
            Problem, ClientDisconnect: as ``infer``, and the problem of any image.
        """
        logits: list[Tensor] = []
        remaining = iter(tensors)
        while batch := await anyio.to_thread.run_sync(lambda: list(islice(remaining, self._max_batch_size))):
            for output in await self.infer(batch, device, token):
                if isinstance(output, Problem):
                    raise output
                logits.append(output.logits)
        return logits

    def source(self, prediction: Prediction, index: int | None = None) -> "tuple[Classifier, ModelOutput, str]":
        """The classifier, its output and its label that a prediction comes from; ``index`` is that of a label of the card, by
        default the likeliest."""
        index = int(prediction.probabilities.argmax()) if index is None else index
        return self, prediction.output, self.card.labels[index]

    def check_device(self, device: str) -> None:
        """Return if the model runs on ``device``.

        Raises:
            Problem: as ``batcher``.
        """
        self.batcher(device)

    def batcher(self, device: str) -> Batcher:
        """The batcher of ``device``; ``auto`` prefers the GPU.

        Raises:
            Problem: ``device_unavailable`` with the reason.
        """
        names = ("gpu", "cpu") if device == "auto" else (device,)
        for name in names:
            if name in self._batchers and name not in self.reasons:
                return self._batchers[name]
        why = " ".join(dict.fromkeys(self.reasons.get(name, NO_SESSION) for name in names))
        raise Problem("device_unavailable", f"{self.card.name} cannot run on {device}: {why}")

    def available(self) -> list[str]:
        """The devices it runs on."""
        return [name for name in DEVICES if name in self.runners and name not in self.reasons]

    def warm_up(self) -> Prediction:
        """Run every step once, so that the first request is not slower; the prediction is of a made-up output."""
        image = self.preprocessor.warm_up()
        for runner in self.runners.values():
            if isinstance(runner, LocalRunner):
                runner.warm_up(image.tensor, warm_up_sizes(self._max_batch_size))
        return self.made_up_prediction(image)

    def made_up_prediction(self, image: PreprocessedImage) -> Prediction:
        """The prediction that would follow from logits that are all zero."""
        return self._prediction(image, ModelOutput(np.zeros(len(self.card.labels), np.float32), 1, "", 0.0))

    def describe(self) -> dict[str, Any]:
        """The entry of ``GET /models``: the card, and the devices and execution providers in use."""
        card = self.card
        available = self.available()
        return {
            "name": card.name,
            "version": card.version,
            "title": card.title,
            "sha256": card.sha256,
            "providers": [self.runners[name].provider for name in available],
            "devices": {name: {"available": name in available, "reason": self.reasons.get(name)} for name in DEVICES},
            "card": card.model_dump(mode="json"),
        }

    async def close(self) -> None:
        """Process what is queued and accept no more."""
        for batcher in self._batchers.values():
            await batcher.close()

    def close_runners(self) -> None:
        """Close the sessions of a model that was never in service."""
        for runner in self.runners.values():
            runner.close()

    def _counted(self, prediction: Prediction | Problem) -> Prediction | Problem:
        """The prediction, counted in the metrics, or the problem."""
        if not isinstance(prediction, Problem):
            self._metrics.count(prediction)
        return prediction

    def _prediction(self, image: PreprocessedImage, output: ModelOutput) -> Prediction:
        probabilities = probabilities_of(output.logits, self.card)
        reason = several_reason(self.card, image.characters[0]) or reject_reason(
            output.logits, probabilities, self.card.rejection
        )
        return Prediction(image, output, probabilities, reason)
