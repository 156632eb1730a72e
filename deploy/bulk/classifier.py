"""Classifies batches of pictures with the code of the service, without HTTP; one instance in each worker."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter
from typing import Any, Final

import pyarrow as pa

from deploy.bulk.inputs import PictureInput, Pictures
from deploy.bulk.models import ModelFiles, open_model
from deploy.bulk.preprocessor import BatchPreprocessor
from preprocessing import ImageLimits
from serving.errors import Problem
from serving.http.responses import ranking
from serving.inference.cancellation import CancellationToken
from serving.inference.image_processor import THREADS
from serving.inference.prediction import Prediction
from serving.inference.sequence import SequenceModel
from serving.inference.sequence_prediction import AnyPrediction
from serving.settings import Settings, available_cpus

# ``problem`` is the code of a problem document and ``detail`` its detail; the other columns are then null, otherwise these two.
RESULTS: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("name", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float64()),
        ("rejected", pa.bool_()),
        ("reject_reason", pa.string()),
        ("category", pa.string()),
        ("ink", pa.float64()),
        ("problem", pa.string()),
        ("detail", pa.string()),
    ]
)
# Encoded pictures that a worker holds at a time: so many, or so many bytes and one picture more.
CHUNK_PICTURES: Final = 256
CHUNK_BYTES: Final = 32 * 1024 * 1024
NO_DEADLINE: Final = 1e9  # seconds


@dataclass(frozen=True)
class Job:
    """What a worker needs: the model, the input, and the limits on a picture and its characters."""

    model: ModelFiles
    pictures: PictureInput
    limits: ImageLimits
    max_characters: int


class BatchClassifier:
    """Called with a batch of the listing, gives its rows as ``RESULTS``.

    The bytes of pictures are read here and nowhere else, a chunk at a time, so that a worker's memory does not depend on how
    many pictures there are.
    """

    def __init__(self, job: Job) -> None:
        limits = job.limits
        assert limits.file_bytes is not None
        settings = Settings(
            device="cpu",
            workers=available_cpus(),  # one thread for each session: there is a worker for each CPU
            max_queue=CHUNK_PICTURES,
            max_pixels=limits.pixels,
            max_photo_pixels=limits.photo_pixels,
            max_side=limits.side,
            max_image_bytes=limits.file_bytes,
            max_characters=job.max_characters,
        )
        self._model = open_model(job.model, settings)
        if isinstance(self._model, SequenceModel):
            THREADS.total_tokens = 1  # one large picture is decoded at a time
        else:
            self._model.preprocessor = BatchPreprocessor(self._model.preprocessor.specs, limits)
        self._read = job.pictures.reader(limits.file_bytes)
        self._loop = asyncio.new_event_loop()

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The results of a batch, in its order."""
        rows = [self._row(result) for chunk in _chunks(self._read(batch)) for result in self._predict(chunk)]
        columns = {name: [row.get(name) for row in rows] for name in RESULTS.names[2:]}
        columns |= {"row": batch["row"].combine_chunks(), "name": batch["name"].combine_chunks()}
        return pa.table({name: columns[name] for name in RESULTS.names}, schema=RESULTS)

    def close(self) -> None:
        """End the event loop; a worker of Ray ends with its process instead."""
        self._loop.close()

    def _predict(self, chunk: list[bytes | Problem]) -> Iterator[AnyPrediction | Problem]:
        images = [data for data in chunk if not isinstance(data, Problem)]
        token = CancellationToken(perf_counter() + NO_DEADLINE)

        async def predict() -> list[AnyPrediction | Problem]:
            return [*await self._model.predict(images, "cpu", token)]

        predictions = iter(self._loop.run_until_complete(predict()) if images else [])
        for data in chunk:
            yield data if isinstance(data, Problem) else next(predictions)

    def _row(self, result: AnyPrediction | Problem) -> dict[str, Any]:
        if isinstance(result, Problem):
            return {"problem": result.code, "detail": result.detail}
        (top,) = ranking(self._model.card, result, 1)
        return {
            "label": top.label,
            "confidence": top.confidence,
            "rejected": result.reject_reason is not None,
            "reject_reason": result.reject_reason,
            "category": result.category[0] if isinstance(result, Prediction) and result.category else None,
            "ink": self._ink(result),
        }

    def _ink(self, result: AnyPrediction) -> float:
        """The mean ink of the model's input; of a sequence, of the inputs of all its characters."""
        if isinstance(result, Prediction):
            return self._model.observations.ink(result.image.tensor)
        return fmean(self._model.observations.ink(one.prediction.image.tensor) for one in result.characters)


def _chunks(pictures: Pictures) -> Iterator[list[bytes | Problem]]:
    """Group pictures so that no more than a chunk is held."""
    chunk: list[bytes | Problem] = []
    size = 0
    for data in pictures:
        chunk.append(data)
        size += 0 if isinstance(data, Problem) else len(data)
        if len(chunk) >= CHUNK_PICTURES or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
