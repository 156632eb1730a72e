"""One model in service: from an upload to its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import numpy as np

from models.card import ModelCard
from preprocessing import Tensor
from serving.errors import Problem
from serving.inference.answers import Reading, answer
from serving.inference.batcher import Batcher, Scored
from serving.inference.image_preprocessor import Preparation, Prepared
from serving.inference.local_runner import Call, LocalRunner, Runner, warm_up_sizes
from serving.inference.request import CancellationToken, InferenceRequest
from serving.inference.sessions import DEVICES
from serving.process import metrics
from serving.schemas import Classification
from serving.settings import Settings

WARM_UP_TOP_K: Final = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """An answer, and the classifier whose ``logits`` float32[K] gave it: ``label`` is the one of its labels that won."""

    answer: Classification
    classifier: "Classifier"
    logits: Tensor
    label: str


class Classifier:
    """A model's card, its runners by device, and a batcher for each; ``reasons`` says why a device has none."""

    def __init__(self, card: ModelCard, runners: Mapping[str, Runner], reasons: Mapping[str, str], settings: Settings) -> None:
        self.card = card
        self.runners = runners
        self.reasons = reasons
        self.preparation = Preparation([card.input], settings.limits)
        self._settings = settings
        self._images = metrics.images.labels(card.name)
        self._rejected = metrics.rejected.labels(card.name)
        self._batchers = {
            device: Batcher(
                runner,
                max_batch_size=settings.max_batch_size,
                max_queue=settings.max_queue,
                waiting=metrics.queue_depth.labels(card.name, device),
            )
            for device, runner in runners.items()
        }

    async def classify(self, upload: InferenceRequest) -> Classification:
        """Answer the one image of an upload.

        Raises:
            Problem: the image cannot be read, nothing is drawn, the device is missing, or the batcher refused.
            ClientDisconnect: the client went away.
        """
        return self.answer(await self.read(upload), upload)

    async def classify_all(self, upload: InferenceRequest) -> list[Classification | Problem]:
        """Answer every image of an upload, in order; one that fails has its problem in its place.

        Raises:
            Problem: the device is missing, the batcher has no room for them all, or the deadline passed before it was asked.
            ClientDisconnect: the client went away.
        """
        self.batcher(upload.options.device)  # refuses a device that is missing before anything is done
        prepared = await self.preparation.all(upload.images, self.cancellation(upload))
        scores = iter(await self.score([one.tensor for one in prepared if isinstance(one, Prepared)], upload))
        return [self._entry(one, next(scores), upload) if isinstance(one, Prepared) else one for one in prepared]

    async def origin(self, upload: InferenceRequest) -> Origin:
        """Answer the one image of an upload, and say what gave the answer.

        Raises:
            Problem, ClientDisconnect: as ``classify``.
        """
        reading = await self.read(upload)
        given = self.answer(reading, upload)
        return Origin(given, self, reading.scored.logits, given.label)

    async def read(self, upload: InferenceRequest) -> Reading:
        """Prepare the one image of an upload and have the model read it.

        Raises:
            Problem, ClientDisconnect: as ``classify``.
        """
        self.batcher(upload.options.device)  # refuses a device that is missing before anything is done
        prepared = await self.preparation.one(upload.images[0], self.cancellation(upload))
        (scored,) = await self.score([prepared.tensor], upload)
        if isinstance(scored, Problem):
            raise scored
        return Reading(prepared, scored)

    async def score(self, tensors: Sequence[Tensor], upload: InferenceRequest) -> list[Scored | Problem]:
        """What the model says of prepared images, each float32[C,H,W], within what is left of the upload's time.

        Raises:
            Problem, ClientDisconnect: as ``Batcher.submit``; ``device_unavailable``.
        """
        seconds = self._deadline(upload) - perf_counter()
        return await self.batcher(upload.options.device).submit(
            tensors, seconds=seconds, is_disconnected=upload.is_disconnected
        )

    def cancellation(self, upload: InferenceRequest) -> CancellationToken:
        """Whether an upload is still to be answered."""
        return CancellationToken(self._deadline(upload), upload.is_disconnected)

    async def logits(self, tensors: list[Tensor], upload: InferenceRequest) -> list[Tensor]:
        """The logits float32[K] of more images, asked for by the same upload, at most a batch at a time.

        Raises:
            Problem, ClientDisconnect: as ``classify``.
        """
        step = self._settings.max_batch_size
        scores: list[Scored | Problem] = []
        for start in range(0, len(tensors), step):
            scores += await self.score(tensors[start : start + step], upload)
        for scored in scores:
            if isinstance(scored, Problem):
                raise scored
        return [scored.logits for scored in scores if isinstance(scored, Scored)]

    def answer(self, reading: Reading, upload: InferenceRequest) -> Classification:
        """The answer of the contract for one image of an upload."""
        metrics.queue_seconds.observe(reading.scored.queue)
        metrics.inference_seconds.observe(reading.scored.call.seconds)
        self._images.inc()
        given = answer(self.card, reading, upload.options.top_k, upload.started)
        if given.rejected:
            self._rejected.inc()
        return given

    def batcher(self, device: str) -> Batcher:
        """The batcher of ``device``; ``auto`` takes the GPU where there is one.

        Raises:
            Problem: ``device_unavailable`` with the reason.
        """
        names = ("gpu", "cpu") if device == "auto" else (device,)
        for name in names:
            if name in self._batchers and name not in self.reasons:
                return self._batchers[name]
        why = " ".join(dict.fromkeys(self.reasons.get(name, "It is not served there.") for name in names))
        raise Problem("device_unavailable", f"{self.card.name} cannot run on {device}: {why}")

    def available(self) -> list[str]:
        """The devices it runs on."""
        return [name for name in DEVICES if name in self.runners and name not in self.reasons]

    def warm_up(self) -> None:
        """Take a picture of every format the whole way, so that no request pays for a first time; the runners are warm then."""
        prepared = self.preparation.warm_up()
        logits = np.zeros(len(self.card.labels), np.float32)
        for runner in self.runners.values():
            if isinstance(runner, LocalRunner):
                runner.warm_up(prepared.tensor, warm_up_sizes(self._settings.max_batch_size))
        reading = Reading(prepared, Scored(logits, Call(1, 0.0, ""), 0.0))
        answer(self.card, reading, WARM_UP_TOP_K, perf_counter()).model_dump_json()

    def describe(self) -> dict[str, Any]:
        """The model as ``GET /models`` shows it: the card, and the devices and providers really in use."""
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
        """Answer what is queued and take no more."""
        for batcher in self._batchers.values():
            await batcher.close()

    def close_runners(self) -> None:
        """Let go of the sessions of a model that is not taken into service after all."""
        for runner in self.runners.values():
            runner.close()

    def _deadline(self, upload: InferenceRequest) -> float:
        return upload.started + self._settings.deadline_seconds

    def _entry(self, prepared: Prepared, scored: Scored | Problem, upload: InferenceRequest) -> Classification | Problem:
        return scored if isinstance(scored, Problem) else self.answer(Reading(prepared, scored), upload)
