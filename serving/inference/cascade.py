"""Models in a row: the first tells categories apart, and the model of a likely category reads on, in the same request."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import numpy as np

from models.card import CascadeCard
from serving.errors import Problem
from serving.inference.answers import Reading, Verdict, Waited, compose
from serving.inference.batcher import Scored
from serving.inference.classifier import WARM_UP_TOP_K, Classifier, Origin
from serving.inference.image_preprocessor import Preparation, Prepared
from serving.inference.local_runner import Call
from serving.inference.postprocessing import DIGITS, Probabilities, probabilities, reject_reason, several_reason
from serving.inference.request import InferenceRequest
from serving.inference.sessions import DEVICES
from serving.process import metrics
from serving.schemas import Classification, Share
from serving.settings import Settings

# A model reads every image that belongs to its category with at least this probability: an O or a 0 is read by two.
FOLLOW: Final = 0.05


@dataclass(frozen=True, slots=True)
class Readings:
    """A prepared image, what the first model said of it, the calibrated probabilities float64[C] of the categories, and by
    category what the models that read on said."""

    prepared: Prepared
    first: Scored
    categories: Probabilities
    then: dict[str, Scored]


class Cascade:
    """A cascade's card over the classifiers it names, by tag: they are those that are served by themselves, so that every
    stage shares its calls with whatever else these models are asked."""

    def __init__(self, card: CascadeCard, models: Mapping[str, Classifier], settings: Settings) -> None:
        self.card = card
        self.first = models[card.first]
        self.then = {category: models[tag] for category, tag in card.then.items()}
        self.stages = list(dict.fromkeys([self.first, *self.then.values()]))
        specs = list(dict.fromkeys(stage.card.input for stage in self.stages))
        self._preparation = Preparation(specs, settings.limits)
        self._input = {stage: specs.index(stage.card.input) for stage in self.stages}
        self._place = {category: place for place, category in enumerate(self.first.card.labels)}
        self._bare = [place for category, place in self._place.items() if category not in self.then]
        self._category_of = [category for category, model in self.then.items() for _ in model.card.labels]
        self._category_of += [self.first.card.labels[place] for place in self._bare]
        self._images = metrics.images.labels(card.name)
        self._rejected = metrics.rejected.labels(card.name)

    async def classify(self, upload: InferenceRequest) -> Classification:
        """Answer the one image of an upload.

        Raises:
            Problem, ClientDisconnect: as ``Classifier.classify``, of any stage.
        """
        return self.answer(await self._read_one(upload), upload)

    async def classify_all(self, upload: InferenceRequest) -> list[Classification | Problem]:
        """Answer every image of an upload, in order; one that a stage fails on has its problem in its place.

        Raises:
            Problem: the device is missing, the first model has no room for all images, or the deadline passed before it was
                asked.
            ClientDisconnect: the client went away.
        """
        self._check_device(upload.options.device)
        prepared = await self._preparation.all(upload.images, self.first.cancellation(upload))
        read = iter(await self._read([one for one in prepared if isinstance(one, Prepared)], upload))
        readings = [next(read) if isinstance(one, Prepared) else one for one in prepared]
        return [one if isinstance(one, Problem) else self.answer(one, upload) for one in readings]

    async def origin(self, upload: InferenceRequest) -> Origin:
        """Answer the one image of an upload, and say what gave the answer: the model that gave the label, or the first.

        Raises:
            Problem, ClientDisconnect: as ``classify``.
        """
        readings = await self._read_one(upload)
        given = self.answer(readings, upload)
        category = self._category_of[self.card.labels.index(given.label)]
        if category in readings.then:
            return Origin(given, self.then[category], readings.then[category].logits, given.label)
        return Origin(given, self.first, readings.first.logits, category)

    def answer(self, readings: Readings, upload: InferenceRequest) -> Classification:
        """The answer of the contract for one image of an upload."""
        waited = _waited(readings)
        metrics.queue_seconds.observe(waited.queue)
        metrics.inference_seconds.observe(waited.inference)
        self._images.inc()
        given = self._compose(readings, waited, upload.options.top_k, upload.started)
        if given.rejected:
            self._rejected.inc()
        return given

    def joint(self, readings: Readings) -> Probabilities:
        """P(category) P(label | category) of the card's labels, float64[K], sums to 1; a category without a model is its own
        label, and the labels of a model that did not read share their category's probability evenly."""
        parts = []
        for category, model in self.then.items():
            if scored := readings.then.get(category):
                within = probabilities(scored.logits, model.card.calibration)
            else:
                within = np.full(len(model.card.labels), 1 / len(model.card.labels))
            parts.append(readings.categories[self._place[category]] * within)
        return np.concatenate([*parts, readings.categories[self._bare]])

    def describe(self) -> dict[str, Any]:
        """The cascade as ``GET /models`` shows it: runs where all its models do; ``sha256`` is that of theirs in a row."""
        card = self.card
        reasons = {name: self._why_not(name) for name in DEVICES}
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

    def warm_up(self) -> None:
        """Compose an answer, so that no request pays for a first time; the models are warm already."""
        call = Call(1, 0.0, "")
        scored = {stage: Scored(np.zeros(len(stage.card.labels), np.float32), call, 0.0) for stage in self.stages}
        readings = self._readings(self._preparation.warm_up(), scored[self.first])
        readings.then.update((category, scored[model]) for category, model in self.then.items())
        self._compose(readings, _waited(readings), WARM_UP_TOP_K, perf_counter()).model_dump_json()

    async def _read_one(self, upload: InferenceRequest) -> Readings:
        self._check_device(upload.options.device)
        prepared = await self._preparation.one(upload.images[0], self.first.cancellation(upload))
        (readings,) = await self._read([prepared], upload)
        if isinstance(readings, Problem):
            raise readings
        return readings

    async def _read(self, images: list[Prepared], upload: InferenceRequest) -> list[Readings | Problem]:
        """All images through the first model at once, and then, at once again, through every other those that are its own."""
        firsts = await self.first.score([image.tensors[self._input[self.first]] for image in images], upload)
        read = [
            scored if isinstance(scored, Problem) else self._readings(image, scored)
            for image, scored in zip(images, firsts, strict=True)
        ]
        await asyncio.gather(*(self._read_on(category, model, read, upload) for category, model in self.then.items()))
        return read

    async def _read_on(
        self, category: str, model: Classifier, read: "list[Readings | Problem]", upload: InferenceRequest
    ) -> None:
        """Add what the model of a category says to the readings of its images; a problem takes the place of its image."""
        group = {i: one for i, one in enumerate(read) if isinstance(one, Readings) and self._follows(one, category)}
        if not group:
            return
        try:
            scores = await model.score([one.prepared.tensors[self._input[model]] for one in group.values()], upload)
        except Problem as problem:
            scores = [problem] * len(group)
        for (i, one), scored in zip(group.items(), scores, strict=True):
            if isinstance(scored, Problem):
                read[i] = scored
            else:
                one.then[category] = scored

    def _readings(self, image: Prepared, first: Scored) -> Readings:
        return Readings(image, first, probabilities(first.logits, self.first.card.calibration), {})

    def _follows(self, readings: Readings, category: str) -> bool:
        """Whether the model of a category reads: where it has a chance, or no other has a better one."""
        shares = readings.categories
        return bool(shares[self._place[category]] >= min(FOLLOW, shares.max()))

    def _compose(self, readings: Readings, waited: Waited, top_k: int, started: float) -> Classification:
        shares = self.joint(readings)
        label = self._category_of[int(shares.argmax())]
        confidence = round(float(readings.categories[self._place[label]]), DIGITS)
        verdict = Verdict(shares, self._reject_reason(readings, label), Share(label=label, confidence=confidence))
        return compose(self.card, verdict, Reading(readings.prepared, readings.first), waited, top_k, started)

    def _reject_reason(self, readings: Readings, category: str) -> str | None:
        """Why the first model rejects the image, or the one that read it as of ``category``."""
        said = [(self.first, readings.first)]
        if category in readings.then:
            said.append((self.then[category], readings.then[category]))
        for model, _ in said:
            if reason := several_reason(model.card, readings.prepared.characters[self._input[model]]):
                return reason
        for model, scored in said:
            card, shares = model.card, probabilities(scored.logits, model.card.calibration)
            if reason := reject_reason(scored.logits, shares, card.rejection, f"the model {card.name}"):
                return reason
        return None

    def _check_device(self, device: str) -> None:
        """Refuse a device that a model lacks before anything is done."""
        for stage in self.stages:
            stage.batcher(device)

    def _why_not(self, device: str) -> str | None:
        """The reason why the cascade does not run on a device, or None where it does."""
        for stage in self.stages:
            if device not in stage.available():
                return f"{stage.card.name}: {stage.reasons.get(device, 'It is not served there.')}"
        return None


Model = Classifier | Cascade


def _waited(readings: Readings) -> Waited:
    """The call of the first model, and then the one that took longest of those that read on side by side."""
    first = readings.first
    queue, inference = max(
        ((scored.queue, scored.call.seconds) for scored in readings.then.values()), key=sum, default=(0.0, 0.0)
    )
    return Waited(first.queue + queue, first.call.seconds + inference)
