"""The handlers of the API: read the request, predict, answer. ``routes`` says which paths they answer."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from models.card import Card
from serving.backpressure.body_budget import BodyBudget
from serving.backpressure.concurrency_limit import ConcurrencyLimit
from serving.backpressure.connection_balancer import ConnectionBalancer
from serving.errors import Problem
from serving.http.responses import classification, explanation, json_response
from serving.http.schemas import Batch, Classification, ExplainOptions, Options, ProblemDocument, parse_fields
from serving.http.uploads import Upload, UploadReader
from serving.inference.explanation import explain
from serving.inference.image_preprocessor import PreprocessedImage
from serving.inference.local_runner import ModelOutput
from serving.inference.prediction import Prediction
from serving.inference.sequence import Model
from serving.inference.sequence_prediction import AnyPrediction
from serving.middleware.audit import audited
from serving.middleware.authentication import actor_of
from serving.process import metrics
from serving.process.shutdown import Shutdown
from serving.process.workers import WorkerTable, shared_folder, worker_slot
from serving.registry.model_registry import ModelRegistry
from serving.registry.reload import ModelReload
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.http.gallery_handlers import GalleryHandlers


class Handlers:
    """The handlers of one API worker, and what they share. Each takes a request unread and returns a response, or raises a
    ``Problem``."""

    def __init__(self, models: ModelReload, table: WorkerTable, settings: Settings, home: Path) -> None:
        self.models = models
        self._settings = settings
        folder = shared_folder()
        shared = folder, worker_slot(), settings.workers, table.living()
        self.concurrency_limit = ConcurrencyLimit.shared(settings.work_limit, *shared)
        self.uploads = UploadReader(settings, BodyBudget.shared(settings.max_body_bytes_in_flight, *shared))
        self.shutdown = Shutdown(settings.drain_seconds, self.uploads.bodies.abort)
        self.balancer = ConnectionBalancer(folder, table, settings.workers) if folder else None
        self._gallery = _open_gallery(self, settings, home) if settings.gallery else None
        _warm_up(self.registry.model(settings.default_model).card)

    @property
    def registry(self) -> ModelRegistry:
        """The models in service at this moment."""
        return self.models.registry

    @property
    def gallery(self) -> "GalleryHandlers":
        """The handlers of ``/gallery``.

        Raises:
            Problem: ``not_found``: the gallery is disabled.
        """
        if self._gallery is None:
            raise Problem("not_found", "The gallery is disabled: this service was started with GALLERY=false.")
        return self._gallery

    async def is_ready(self) -> bool:
        """Whether this worker should receive requests."""
        return not self.shutdown.draining and await self.registry.is_ready()

    async def check_ready(self) -> None:
        """Return if the models can be used.

        Raises:
            Problem: ``unavailable``.
        """
        if not await self.registry.is_ready():
            raise Problem("unavailable", "The service is starting. Try again in a moment.")

    async def readyz(self, _: Request) -> Response:
        """``GET /readyz``, without BentoML's own check, which would wait for a runner service that is down."""
        if await self.is_ready():
            return PlainTextResponse("ready\n")
        return Problem("unavailable", "The service is starting, shutting down, or without its runner. Try again.").response()

    async def classify(self, request: Request) -> Response:
        """``POST /classify``"""
        await self.check_ready()
        return json_response(await self.predict(await self.uploads.image(request), observe=True))

    async def classify_batch(self, request: Request) -> Response:
        """``POST /classify/batch``"""
        await self.check_ready()
        upload = await self.uploads.batch(request)
        with self.registry.in_use() as registry:
            model = registry.model(upload.options.model)
            predictions = await self._predict_in_chunks(model, upload)
        answers: list[Classification | ProblemDocument] = []
        for prediction in predictions:
            if isinstance(prediction, Problem):
                metrics.errors.labels(prediction.code).inc()
                answers.append(ProblemDocument.model_validate(prediction.document()))
            else:
                model.observations.count(prediction)
                answers.append(classification(model.card, prediction, upload.options.top_k, upload.started))
        return json_response(Batch.model_construct(answers))

    async def explain(self, request: Request) -> Response:
        """``POST /explain``"""
        await self.check_ready()
        upload = await self.uploads.image(request)
        options = upload.options
        wanted = parse_fields(ExplainOptions, upload.fields)
        with self.concurrency_limit.acquire(1), self.registry.in_use() as registry:
            model = registry.model(options.model)
            explained = await explain(
                model, upload.images[0], options.device, upload.token, with_heat_map=wanted.heatmap, character=wanted.character
            )
        answer = await anyio.to_thread.run_sync(explanation, model.card, explained, options.top_k, upload.started)
        return json_response(answer)

    async def list_models(self, _: Request) -> Response:
        """``GET /models``: the models as this worker runs them."""
        await self.check_ready()
        settings = self._settings
        document = {
            "default": settings.default_model,
            "defaults": Options(model=settings.default_model).model_dump(),
            "limits": settings.announced,
            "gallery": settings.gallery,
        }
        registry = self.registry
        return await asyncio.to_thread(lambda: JSONResponse(document | {"models": registry.describe()}))  # takes milliseconds

    async def reload_models(self, request: Request) -> Response:
        """``POST /models/reload``: serve what the catalogue holds now."""
        with audited("models.reload", actor_of(request.scope)) as details:
            details["models"] = tags = await self.models.reload()
        return JSONResponse({"models": dict(tag.split(":") for tag in tags)})

    async def predict(self, upload: Upload, *, observe: bool = False) -> Classification:
        """The answer for the one image of an upload; with ``observe`` it is compared with the model's reference. What is
        explained or saved was classified before, and would count twice.

        Raises:
            Problem: ``unknown_model``, ``overloaded``, that of the image; as ``Classifier.predict``.
            ClientDisconnect: the client closed its connection.
        """
        options = upload.options
        with self.concurrency_limit.acquire(1), self.registry.in_use() as registry:
            model = registry.model(options.model)
            (prediction,) = await model.predict(upload.images, options.device, upload.token)
        if isinstance(prediction, Problem):
            raise prediction
        if observe:
            model.observations.count(prediction)
        return classification(model.card, prediction, options.top_k, upload.started)

    def close(self) -> None:
        """Close the connections to the gallery's database."""
        if self._gallery is not None:
            self._gallery.close()

    async def _predict_in_chunks(self, model: Model, upload: Upload) -> list[AnyPrediction | Problem]:
        """The predictions for a batch, a chunk of it at a time; when a later chunk fails, its images have the problem in their
        place.

        Raises:
            Problem, ClientDisconnect: as ``Classifier.predict`` of the first chunk.
        """
        predictions: list[AnyPrediction | Problem] = []
        until = upload.started + self._settings.deadline_seconds
        for start in range(0, len(upload.images), self.concurrency_limit.chunk_size):
            images = upload.images[start : start + self.concurrency_limit.chunk_size]
            try:
                async with self.concurrency_limit.acquire_chunk(len(images), until, first=start == 0):
                    predictions += await model.predict(images, upload.options.device, upload.token)
            except Problem as problem:
                if start == 0:
                    raise
                predictions += [problem] * len(images)
        return predictions


def _open_gallery(api: Handlers, settings: Settings, home: Path) -> "GalleryHandlers":
    from serving.http.gallery_handlers import GalleryHandlers  # here, so that only API workers load the database libraries

    return GalleryHandlers(api, settings, home)


def _warm_up(card: Card) -> None:
    """Build a response once, so that the first request is not slower; as for a classifier, whatever the model is."""
    count = len(card.labels)
    output = ModelOutput(np.zeros(count, np.float32), 1, "", 0.0)
    prediction = Prediction(PreprocessedImage((), 0.0, 0.0, ()), output, np.full(count, 1 / count))
    json_response(classification(card, prediction, 3, 0.0))
