"""One model in service: from an upload to the answer."""

import io
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import anyio.to_thread
import numpy as np
from PIL import Image

from models.card import MODEL_FILE, ModelCard
from preprocessing import SIGNATURES, ImageError, Tensor, load, open_image, preprocess
from serving.batching import Batcher, Scored
from serving.errors import Problem
from serving.runner import PROVIDERS, Runner, open_runners
from serving.schemas import Classification, Options, Timings
from serving.scoring import probabilities, ranking, reject_reason, table
from serving.settings import Settings
from serving.upload import Upload

# Pictures of more pixels are decoded in a thread: the event loop is never held for longer than a canvas takes.
INLINE_PIXELS: Final = 400 * 400


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image ready for the model: float32[C,H,W], what it was made of, and the seconds each half took."""

    tensor: Tensor
    image: Image.Image
    decode: float
    preprocess: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model said of a prepared image, and where it ran."""

    runner: Runner
    prepared: Prepared
    scored: Scored


class Classifier:
    """A model's card, its runners by device, and a batcher for each."""

    def __init__(self, folder: Path, card: ModelCard, settings: Settings) -> None:
        self.card = card
        self.settings = settings
        self.runners, self.reasons = open_runners(folder / MODEL_FILE, card, settings)
        self._warm_up()
        self.batchers = {
            device: Batcher(
                runner.run,
                max_batch_size=settings.max_batch_size,
                max_queue=settings.max_queue,
                deadline_seconds=settings.deadline_seconds,
            )
            for device, runner in self.runners.items()
        }

    async def classify(self, upload: Upload, started: float) -> Classification:
        """Answer one upload; ``started`` is the ``perf_counter`` at which its request began.

        Raises:
            Problem: the image cannot be read, nothing is drawn, the device is missing, or the batcher refused.
        """
        return self.answer(upload, await self.read(upload), started)

    async def read(self, upload: Upload) -> Reading:
        """Prepare one upload and have the model read it.

        Raises:
            Problem: as ``classify``.
        """
        runner = self.runner(upload.options.device)
        prepared = await self.prepare(upload.data)
        return Reading(runner, prepared, await self.batchers[runner.device].submit(prepared.tensor))

    def runner(self, device: str) -> Runner:
        """The runner of ``device``; ``auto`` takes the GPU where there is one.

        Raises:
            Problem: ``device_unavailable`` with the reason.
        """
        if device == "auto":
            return self.runners.get("gpu") or self.runners["cpu"]
        if device not in self.runners:
            raise Problem("device_unavailable", f"{self.card.name} cannot run on {device}: {self.reasons[device]}")
        return self.runners[device]

    async def prepare(self, data: bytes) -> Prepared:
        """Decode and preprocess, large pictures in a thread.

        Raises:
            Problem: ``unsupported_media``, ``too_large``, ``undecodable`` or ``no_ink``.
        """
        started = perf_counter()
        try:
            image = open_image(data, max_pixels=self.settings.max_pixels)
            if image.width * image.height <= INLINE_PIXELS:
                return self._prepare(image, started)
            return await anyio.to_thread.run_sync(self._prepare, image, started)
        except ImageError as error:
            raise Problem.from_image(error) from error

    def _prepare(self, image: Image.Image, started: float) -> Prepared:
        image = load(image)
        decoded = perf_counter()
        tensor = preprocess(image, self.card.input)
        return Prepared(tensor, image, decoded - started, perf_counter() - decoded)

    def answer(self, upload: Upload, reading: Reading, started: float) -> Classification:
        """The answer of the contract for logits that came back."""
        card, prepared, scored = self.card, reading.prepared, reading.scored
        shares = probabilities(scored.logits, card.calibration)
        top = ranking(shares, card.labels, upload.options.top_k)
        reason = reject_reason(scored.logits, card.calibration, card.rejection)
        return Classification(
            model=card.name,
            version=card.version,
            label=top[0].label,
            confidence=top[0].confidence,
            top=top,
            probabilities=table(shares, card.labels),
            rejected=reason is not None,
            reject_reason=reason,
            category=None,
            provider=reading.runner.provider,
            batch_size=scored.batch_size,
            timings_ms=Timings(
                decode=_milliseconds(prepared.decode),
                preprocess=_milliseconds(prepared.preprocess),
                queue=_milliseconds(scored.queue),
                inference=_milliseconds(scored.inference),
                total=_milliseconds(perf_counter() - started),
            ),
        )

    def _warm_up(self) -> None:
        """Take a picture of every format the whole way, and every batch size through the model: no request pays for a first."""
        for name in SIGNATURES:
            image = Image.new("RGB", (64, 64), "white")
            image.paste("black", (30, 10, 36, 54))
            buffer = io.BytesIO()
            image.save(buffer, name)
            prepared = self._prepare(open_image(buffer.getvalue(), max_pixels=self.settings.max_pixels), perf_counter())
        for runner in self.runners.values():
            for n in range(1, self.settings.max_batch_size + 1):
                logits = runner.run(np.stack([prepared.tensor] * n))
            reading = Reading(runner, prepared, Scored(logits[0], n, 0.0, 0.0))
            self.answer(Upload(b"", Options()), reading, perf_counter()).model_dump_json()

    def describe(self) -> dict[str, Any]:
        """The model as ``GET /models`` shows it: the card, and the devices and providers really in use."""
        card = self.card
        return {
            "name": card.name,
            "version": card.version,
            "title": card.title,
            "sha256": card.sha256,
            "providers": [runner.provider for runner in self.runners.values()],
            "devices": {
                device: {"available": device in self.runners, "reason": self.reasons.get(device)} for device in PROVIDERS
            },
            "card": card.model_dump(mode="json"),
        }

    async def close(self) -> None:
        """Answer what is queued and take no more."""
        for batcher in self.batchers.values():
            await batcher.close()


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
