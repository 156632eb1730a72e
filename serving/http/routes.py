"""Between HTTP and the models: requests to uploads, answers and problems to responses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from bentoml import get_current_service
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.backpressure.body_budget import BodyBudget
from serving.backpressure.concurrency_limit import REASON, ConcurrencyLimit
from serving.backpressure.connection_balancer import ConnectionBalancer
from serving.errors import Problem
from serving.http.uploads import UploadReader
from serving.inference.cascade import Model
from serving.inference.explanation import explain
from serving.inference.image_preprocessor import LOOP_SCHEDULER
from serving.inference.request import InferenceRequest
from serving.process import metrics
from serving.process.shutdown import Shutdown
from serving.process.workers import WorkerTable, shared_folder, worker_slot
from serving.registry.model_registry import Catalogue
from serving.registry.reload import ModelReload
from serving.schemas import Batch, Classification, Explanation, ProblemDocument
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")

READY_PATH: Final = "/readyz"
CLIENT_CLOSED_REQUEST: Final = 499  # nobody reads it; nginx's number for the log


_REFUSED: Final = Problem("overloaded", REASON).response()


class Routes:
    """The POST routes over a catalogue: each takes a request unread and answers in ready bytes, whatever happens."""

    def __init__(self, models: ModelReload, table: WorkerTable, settings: Settings) -> None:
        self.models = models
        self._settings = settings
        folder = shared_folder()
        shared = folder, worker_slot(), settings.workers, table.living()
        self.concurrency_limit = ConcurrencyLimit.shared(settings.work_limit, *shared)
        self.uploads = UploadReader(settings, BodyBudget.shared(settings.max_body_bytes_in_flight, *shared))
        self.shutdown = Shutdown(settings.drain_seconds, self.uploads.bodies.give_up)
        self.balancer = ConnectionBalancer(folder, table, settings.workers) if folder else None
        self.by_path: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/classify": self.classify,
            "/classify/batch": self.classify_batch,
            "/explain": self.explain,
        }

    @property
    def catalogue(self) -> Catalogue:
        """The models in service at this moment."""
        return self.models.catalogue

    async def readiness(self) -> Response:
        """``GET /readyz``, at once: BentoML would ask the runner service and wait for one that is gone."""
        if await self.ready():
            return PlainTextResponse("ready\n")
        return Problem(
            "unavailable", "The service is starting, ending, or without its runner. Try again in a moment."
        ).response()

    async def ready(self) -> bool:
        """Whether this worker should be sent requests."""
        return not self.shutdown.draining and await self.catalogue.ready()

    async def classify(self, request: Request) -> Response:
        """``POST /classify``"""
        return await self._respond(self._classify, request)

    async def classify_batch(self, request: Request) -> Response:
        """``POST /classify/batch``"""
        return await self._respond(self._classify_batch, request)

    async def explain(self, request: Request) -> Response:
        """``POST /explain``"""
        return await self._respond(self._explain, request)

    async def check_ready(self) -> None:
        """Return if there are models to ask.

        Raises:
            Problem: ``unavailable``.
        """
        if not await self.catalogue.ready():
            raise Problem("unavailable", "The service is starting. Try again in a moment.")

    async def classified(self, upload: InferenceRequest) -> Classification:
        """The answer for the one image of an upload.

        Raises:
            Problem, ClientDisconnect: as ``Classifier.classify``; ``overloaded``, ``unknown_model``.
        """
        with self.concurrency_limit.acquire(1), self.catalogue.in_use() as models:
            return await models.model(upload.options.model).classify(upload)

    async def _classify(self, request: Request) -> BaseModel:
        return await self.classified(await self.uploads.image(request))

    async def _classify_batch(self, request: Request) -> BaseModel:
        upload = await self.uploads.batch(request)
        with self.catalogue.in_use() as models:
            entries = await self._in_portions(models.model(upload.options.model), upload)
        for entry in entries:
            if isinstance(entry, Problem):
                metrics.errors.labels(entry.code).inc()
        documents = [ProblemDocument.model_validate(e.document()) if isinstance(e, Problem) else e for e in entries]
        return Batch.model_construct(documents)

    async def _in_portions(self, model: Model, upload: InferenceRequest) -> list[Classification | Problem]:
        """The answers for the images of a batch, of which a portion is worked on at a time; where a later portion is refused,
        its images have the problem in their place.

        Raises:
            Problem, ClientDisconnect: as ``Classifier.classify_all`` of the first portion.
        """
        entries: list[Classification | Problem] = []
        until = upload.started + self._settings.deadline_seconds
        for start in range(0, len(upload.images), self.concurrency_limit.chunk_size):
            images = upload.images[start : start + self.concurrency_limit.chunk_size]
            try:
                async with self.concurrency_limit.acquire_chunk(len(images), until, first=start == 0):
                    entries += await model.classify_all(replace(upload, images=images))
            except Problem as problem:
                if start == 0:
                    raise
                entries += [problem] * len(images)
        return entries

    async def _explain(self, request: Request) -> Explanation:
        upload = await self.uploads.image(request)
        with self.concurrency_limit.acquire(1), self.catalogue.in_use() as models:
            return await explain(models.model(upload.options.model), upload)

    async def _respond(self, handler: Callable[[Request], Awaitable[BaseModel]], request: Request) -> Response:
        try:
            await self.check_ready()
            answer = await handler(request)
            return Response(answer.model_dump_json(), media_type="application/json")
        except Exception as error:
            return refusal(error, request)


def refusal(error: Exception, request: Request) -> Response:
    """The answer to a request that ended with an error, which is counted, and logged if it is nobody's but ours."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    if not isinstance(error, Problem):
        logger.error("%s failed", request.url.path, exc_info=error)
        error = Problem("internal", "The service failed; its log says why.")
    metrics.errors.labels(error.code).inc()
    return error.response()


class FrontDoor:
    """Hands the POST routes their requests before BentoML's router, contexts and serialisers see them, which would take longer
    than the inference of a small image; everything else goes on to BentoML. The routes are BentoML APIs all the same: that is
    how they come into /schema.json and the Swagger page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            routes: Routes = get_current_service().routes
            send = routes.shutdown.close_connections(send)
            if scope["path"] == READY_PATH and scope["method"] in ("GET", "HEAD"):
                await (await routes.readiness())(scope, receive, send)
                return
            handler = routes.by_path.get(scope["path"]) if scope["method"] == "POST" else None
            if handler is not None and routes.concurrency_limit.is_full:
                await refused(scope, receive, send)
                return
            if handler is not None:
                response = await handler(Request(scope, receive, send))
                if routes.balancer is not None and scope["client"] and routes.balancer.should_close(scope["client"]):
                    response.headers["connection"] = "close"
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def refused(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there is too much to do, before the body is read, and with as little work as can be."""
    metrics.overloaded.inc()
    LOOP_SCHEDULER.tighten(scope["client"])
    await _REFUSED(scope, receive, send)


async def list_models(_: Request) -> Response:
    """``GET /models``: the catalogue as this worker runs it."""
    catalogue: Catalogue = get_current_service().routes.catalogue
    if not await catalogue.ready():
        return Problem("unavailable", "The service is starting. Try again in a moment.").response()
    return await asyncio.to_thread(lambda: JSONResponse(catalogue.describe()))  # milliseconds: not in the event loop


async def reload_models(request: Request) -> Response:
    """``POST /models/reload``: serve what the catalogue holds now."""
    routes: Routes = get_current_service().routes
    try:
        return JSONResponse({"models": dict(tag.split(":") for tag in await routes.models.reload())})
    except Exception as error:
        return refusal(error, request)


def catalogue_app() -> Starlette:
    """The routes of the catalogue itself, mounted beside BentoML's own."""
    return Starlette(
        routes=[
            Route("/models", list_models, methods=["GET"]),
            Route("/models/reload", reload_models, methods=["POST"]),
        ]
    )
