"""The two BentoML services, their APIs and their middleware; what they do is in serving/."""

from typing import Any

from bentoml import api as route
from bentoml import depends, on_shutdown, on_startup, service
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from serving.bento.compat import Unserved, apply_patches, bentoml_home
from serving.bento.connections import limit_connections
from serving.bento.inputs import BatchInput, ExplainInput, ImageInput, with_default_model
from serving.bento.metric_paths import metric_path
from serving.bento.server import on_sigterm
from serving.bento.service_options import RUNNER_NAME, SERVICE_NAME, runner_options, service_options
from serving.http.api_page import api_page
from serving.http.handlers import Handlers
from serving.http.routes import FastPath, handle, mounted_routes
from serving.http.schemas import Batch, Classification, Explanation
from serving.inference.remote_runner import with_auth
from serving.inference.runner_service import RunnerCalls, RunnerHost, model_routes
from serving.middleware.authentication import Authentication, InternalAuth
from serving.middleware.csrf import CrossSiteGuard, cors_options
from serving.middleware.lingering_close import LingeringClose
from serving.middleware.problem_details import ProblemDetailsMiddleware
from serving.middleware.response_headers import ResponseHeaders
from serving.middleware.tracing import Tracing
from serving.process.log_format import configure_logs
from serving.process.log_records import use_escaped_records
from serving.process.runtime_folder import METRICS, open_runtime_folder
from serving.process.tracing import propagate_requests, start_tracing, stop_tracing
from serving.process.workers import WorkerTable, shared_folder
from serving.registry.model_registry import EmbeddedRegistry, ModelRegistry, RemoteRegistry
from serving.registry.model_set import folders_of, model_folders, model_set_in_service, with_models
from serving.registry.reload import ModelReload
from serving.startup import (
    check_api_keys,
    choose_topology,
    find_gpu,
    freeze_start_objects,
    join_workers,
    load_settings,
    runner_key,
    shorten_switch_interval,
)

use_escaped_records()
settings = load_settings()
configure_logs(settings.log_format)
check_api_keys(settings)
apply_patches(settings, open_runtime_folder() / METRICS)
model_set, cards = model_set_in_service(settings)
gpu = find_gpu(settings, cards)
topology = choose_topology(settings, gpu)
image_input = with_default_model(ImageInput, settings)
explain_input = with_default_model(ExplainInput, settings)
batch_input = with_default_model(BatchInput, settings)


@service(**runner_options(settings, gpu))
@with_models(cards)
@model_routes(cards, settings)
class ModelRunner:
    """Owns the sessions of all models in the runner topology: one process, one GPU, the batches of all API workers."""

    def __init__(self) -> None:
        start_tracing(settings, RUNNER_NAME, starts_traces=False)
        join_workers(RUNNER_NAME, workers=1)
        self.host = RunnerHost(model_folders(self), settings)

    @route
    async def status(self) -> dict[str, Any]:
        """Which models run on which devices, and the reason where one does not."""
        return self.host.status()

    @on_startup
    async def drain_after_callers(self) -> None:
        """Exit after the API workers, which may call over any number of connections."""
        limit_connections(None)
        on_sigterm(self.host.drain_after_callers)
        freeze_start_objects()
        shorten_switch_interval()

    @on_shutdown
    def close(self) -> None:
        """End the threads of the sessions."""
        self.host.close()
        stop_tracing()


@service(**service_options(settings))
@with_models(cards)
class ImageClassifier:
    """Small image classifiers: a picture in, a label with calibrated confidence out."""

    runner = depends(ModelRunner) if topology == "runner" else Unserved(ModelRunner)

    def __init__(self) -> None:
        start_tracing(settings, SERVICE_NAME, starts_traces=True)
        table = join_workers(SERVICE_NAME, settings.workers)
        self.models = self._models(table)
        self.api = Handlers(self.models, table, settings, bentoml_home())

    def _models(self, table: WorkerTable) -> ModelReload:
        if topology == "runner":
            propagate_requests()
            remote = RemoteRegistry(cards, lambda: with_auth(self.runner.to_async, runner_key()), settings)
            return ModelReload(remote, model_set, None, shared_folder(), table, settings)

        def load(tags: list[str]) -> ModelRegistry:
            return EmbeddedRegistry(folders_of(tags), settings)

        return ModelReload(EmbeddedRegistry(model_folders(self), settings), model_set, load, shared_folder(), table, settings)

    async def __is_ready__(self) -> bool:
        return await self.api.is_ready()

    @route(route="/classify", input_spec=image_input, output_spec=Classification)
    async def classify(self, image: Request, **_options: object) -> Response:
        """Classify one image."""
        return await handle(Handlers.classify, self.api, image)

    @route(route="/classify/batch", input_spec=batch_input, output_spec=Batch)
    async def classify_batch(self, images: Request, **_options: object) -> Response:
        """Classify many images; a bad one fails alone."""
        return await handle(Handlers.classify_batch, self.api, images)

    @route(route="/explain", input_spec=explain_input, output_spec=Explanation)
    async def explain(self, image: Request, **_options: object) -> Response:
        """Classify one image and show how the answer came about."""
        return await handle(Handlers.explain, self.api, image)

    @on_startup
    async def listen(self) -> None:
        """Handle SIGTERM, and take part in reloads."""
        on_sigterm(self.api.shutdown.begin)
        await self.models.start()
        freeze_start_objects()
        shorten_switch_interval()

    @on_shutdown
    async def drain(self) -> None:
        """Process what is queued before the worker exits."""
        await self.models.close()
        self.api.close()
        stop_tracing()


ModelRunner.add_asgi_middleware(InternalAuth, key=runner_key())
if settings.otel_exporter_otlp_endpoint:
    ModelRunner.add_asgi_middleware(Tracing, route=str)  # the service's own workers call its few paths alone
ModelRunner.add_asgi_middleware(RunnerCalls)
ImageClassifier.mount_asgi_app(mounted_routes(), path="/")
ImageClassifier.mount_asgi_app(api_page(ImageClassifier, bool(settings.api_keys_file)), path="/")

# The order of the middleware, from the outermost inward. LingeringClose sees whether anything inside it read the body, and
# ResponseHeaders covers every response, and gives every request its id. CORS answers preflights, which have no key. What is
# refused by CrossSiteGuard or Authentication has its body unread. FastPath answers most requests; BentoML's errors, behind it,
# become problem documents.
ImageClassifier.add_asgi_middleware(LingeringClose)
ImageClassifier.add_asgi_middleware(ResponseHeaders)
if settings.otel_exporter_otlp_endpoint:
    ImageClassifier.add_asgi_middleware(Tracing, route=metric_path)
if settings.cors_origins:
    ImageClassifier.add_asgi_middleware(CORSMiddleware, **cors_options(settings.cors_origins))
ImageClassifier.add_asgi_middleware(CrossSiteGuard, origins=settings.cors_origins)
if settings.api_keys_file:
    ImageClassifier.add_asgi_middleware(Authentication, keys=settings.api_keys_file, settings=settings)
ImageClassifier.add_asgi_middleware(FastPath)
ImageClassifier.add_asgi_middleware(ProblemDetailsMiddleware)
