"""Before the first request: settings, keys, devices and the BentoML configuration, checked so that a fault ends the start."""

import asyncio
import gc
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from _bentoml_impl.server.app import ServiceAppFactory
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.http.traffic import TimeoutMiddleware
from bentoml._internal.utils.circus import Arbiter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from pydantic import ValidationError
from sqlalchemy import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gallery import FILE_NAME, file_url, parse_url
from models.card import MODEL_FILE, Card, ModelCard
from models.store import require
from serving.bento.metric_paths import name_few_endpoints
from serving.inference.sessions import DEVICES, DeviceUnavailable, open_session
from serving.middleware.api_keys import KeysError, read_keys
from serving.process.metrics import forget_process
from serving.process.runtime_folder import METRICS
from serving.process.workers import WorkerTable
from serving.settings import Settings, available_cpus

SERVICE_NAME: Final = "image_classifier"
RUNNER_NAME: Final = "image_classifier_runner"
LOOK_SECONDS: Final = 1.0
SWITCH_SECONDS: Final = 0.001
FOUND_GPU: Final = "IMAGE_CLASSIFIER_GPU"
RUNNER_KEY: Final = "IMAGE_CLASSIFIER_RUNNER_KEY"


def load_settings() -> Settings:
    """The settings of this process; a bad value ends it with one line per field."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = ".".join(map(str, fault["loc"])).upper()
            shown = f"={fault['input']!r}" if Settings.model_fields[str(fault["loc"][0])].repr else ""
            sys.stderr.write(f"Setting {name}{shown} is not valid: {fault['msg']}\n")
        raise SystemExit(2) from None


def own_metrics_folder(folder: Path) -> None:
    """Have BentoML keep its metrics in the service's own runtime folder: it empties the one that all of a model store share."""
    name_few_endpoints()
    BentoMLContainer.prometheus_multiproc_dir.set(str(folder / METRICS))


def join_workers(service: str, workers: int) -> WorkerTable:
    """Take this worker's place among those of a service, and clear away what the one before it left in the metrics."""
    table = WorkerTable.shared(service, workers)
    before = table.join()
    if before not in (None, os.getpid()):
        forget_process(before)
    return table


def freeze_start_objects() -> None:
    """Keep what was made until now out of every later garbage collection, so that no request pays for looking at it again.
    Models of a later reload are left to the collector: to look through the whole process holds up its requests."""
    gc.collect()
    gc.freeze()


def describe_once() -> None:
    """Have BentoML make ``/schema.json`` once, and beside the event loop: it takes many times as long as for a small image."""

    made: dict[str, Any] = {}

    def schema(service: Any) -> Any:
        if service.name not in made:
            made[service.name] = service.schema()
        return made[service.name]

    async def schema_view(self: ServiceAppFactory, _: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(schema, self.service))

    ServiceAppFactory.schema_view = schema_view


def favour_event_loop() -> None:
    """Have threads hand the interpreter to the event loop soon, where Python lets each keep it for five milliseconds, and that
    several times a request: a reload and a scrape of ``/metrics`` compute for hundreds of them in a thread."""
    sys.setswitchinterval(SWITCH_SECONDS)


def gallery_url(settings: Settings) -> URL:
    """Where the gallery lies: where ``GALLERY_URL`` says, or in a file of BentoML's home."""
    if settings.gallery_url is not None:
        return parse_url(settings.gallery_url)
    return file_url(Path(BentoMLContainer.bentoml_home.get()) / FILE_NAME)


def look_after_workers() -> None:
    """Have the parent look for workers that died every second, where BentoML tells it to do so every ten, and take commands,
    of which one is to run any program, from this user alone: BentoML has it take them from a port, on which every user of the
    machine may call."""
    start = Arbiter.__init__

    def start_attentive(self: Arbiter, *args: Any, **options: Any) -> None:
        folder = tempfile.mkdtemp(prefix="bentoml-arbiter-")
        sockets = {"endpoint": f"ipc://{folder}/commands", "pubsub_endpoint": f"ipc://{folder}/events"}
        start(self, *args, **{**options, **sockets, "check_delay": LOOK_SECONDS})
        self.exit_stack.callback(shutil.rmtree, folder, ignore_errors=True)

    Arbiter.__init__ = start_attentive  # type: ignore[method-assign]


def leave_out_middleware(settings: Settings) -> None:
    """Take out BentoML's timeout, since bodies and answers have deadlines of their own: it keeps a timer for each request long
    after its answer, 80,000 of them under load, among which everything takes a quarter longer. Where nothing is traced take out
    OpenTelemetry's too, which would look at the address of every request to find that out."""

    async def pass_on(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    TimeoutMiddleware.__call__ = pass_on  # type: ignore[method-assign]
    if not settings.tracing:
        OpenTelemetryMiddleware.__call__ = pass_on  # type: ignore[method-assign]


def runner_key() -> str:
    """The secret by which the runner knows this service's own workers; the parent makes it and leaves it to all of them in the
    environment."""
    if not os.environ.get(RUNNER_KEY):
        os.environ[RUNNER_KEY] = secrets.token_urlsafe(32)
    return os.environ[RUNNER_KEY]


def check_access(settings: Settings) -> None:
    """End the process with one line unless the keys of the API can be read, where there are to be any."""
    try:
        if settings.api_keys_file is not None:
            read_keys(settings.api_keys_file)
        elif settings.rate_limit is not None:
            raise KeysError("RATE_LIMIT is for each key, and there are none: set API_KEYS_FILE too.")
    except KeysError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def find_gpu(settings: Settings, cards: dict[str, Card]) -> bool:
    """Whether a session of the catalogue runs on a GPU; with ``DEVICE=gpu`` and none the process ends with one line.

    The answer is left in the environment, so that the workers, which import the service again, need not find out again.
    """
    if settings.device == "cpu":
        return False
    if FOUND_GPU not in os.environ:
        card = next(card for card in cards.values() if isinstance(card, ModelCard))
        try:
            open_session(require(card.tag) / MODEL_FILE, DEVICES["gpu"], threads=1)
            os.environ[FOUND_GPU] = "yes"
        except DeviceUnavailable as error:
            if settings.device == "gpu":
                sys.stderr.write(f"DEVICE=gpu, but there is no working GPU: {error}\n")
                raise SystemExit(2) from None
            os.environ[FOUND_GPU] = "no"
    return os.environ[FOUND_GPU] == "yes"


def choose_topology(settings: Settings, gpu: bool) -> str:
    """``embedded`` or ``runner``: what ``TOPOLOGY`` says, or the runner where a GPU is shared."""
    if settings.topology != "auto":
        return settings.topology
    return "runner" if gpu else "embedded"


def service_options(settings: Settings) -> dict[str, Any]:
    """What ``@bentoml.service`` is told of the API; its timeout is for BentoML's clients, see ``leave_out_middleware``."""
    return {
        "name": SERVICE_NAME,
        "workers": settings.workers,
        "http": {"host": settings.host, "port": settings.port},
        "traffic": {"timeout": settings.body_seconds + settings.deadline_seconds + 5},
        **_common(settings),
    }


def runner_options(settings: Settings, gpu: bool) -> dict[str, Any]:
    """What ``@bentoml.service`` is told of the runner: one process, and the GPU where there is one."""
    return {
        "name": RUNNER_NAME,
        "workers": 1,
        "resources": {"gpu": 1} if gpu else {"cpu": available_cpus()},
        "traffic": {"timeout": settings.deadline_seconds + 5},
        # BentoML would close the session that all calls share after 100 of them, cutting off those in flight.
        "runner_connection": {"max_requests": 10**9, "max_age": 1e9},
        **_common(settings),
    }


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "logging": {"access": {"enabled": settings.access_log}},
        "envs": [{"name": "BENTOML_DO_NOT_TRACK", "value": "True"}],
    }
