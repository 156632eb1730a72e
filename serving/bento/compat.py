"""The patches of BentoML, circus, uvicorn, OpenTelemetry and prometheus_client, each with its reason, its upstream issue and
when it can go.

All are applied when service.py is imported, so that the start fails if a target is missing. ``http_protocol``,
``metric_files``, ``metric_paths``, ``metric_values`` and ``server`` are modules of their own. tests/served/test_patches.py
observes the effects in a running service.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from _bentoml_impl.server.app import ServiceAppFactory
from bentoml import Dependency, Service
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.http.traffic import TimeoutMiddleware
from bentoml._internal.utils.circus import Arbiter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http import auto

from serving.bento.connections import limit_connections
from serving.bento.http_protocol import LimitedProtocol
from serving.bento.metric_files import skip_empty_files
from serving.bento.metric_paths import label_metrics_by_route
from serving.bento.metric_values import write_directly
from serving.bento.server import record_server
from serving.settings import Settings

CHECK_SECONDS: Final = 1.0


def apply_patches(settings: Settings, metrics_folder: Path) -> None:
    """Apply every patch; the metrics of this service go to ``metrics_folder``."""
    label_metrics_by_route()
    use_metrics_folder(metrics_folder)
    skip_empty_files()
    write_directly()
    harden_arbiter()
    disable_middleware()
    skip_unserved()
    limit_http(settings.max_connections)
    record_server()
    cache_schema()


def bentoml_home() -> Path:
    """BentoML's home folder, ``BENTOML_HOME``. Its public API names the stores in it, but not the folder."""
    return Path(BentoMLContainer.bentoml_home.get())


def use_metrics_folder(folder: Path) -> None:
    """Have BentoML keep the metrics of all workers in ``folder``.

    Reason: it takes one folder of the model store and empties it at each start, also while another service with the same store
    runs. Upstream: BentoML/issues/3207 (open). Can go when the folder is a setting.
    """
    BentoMLContainer.prometheus_multiproc_dir.set(str(folder))


def harden_arbiter() -> None:
    """Have the parent process check for dead workers every second, and take circus commands from this user alone.

    Reason: BentoML checks every ten seconds, and opens circus' command endpoint, whose commands run any program, on a TCP port
    that every user of the machine can connect to. Here the endpoints are sockets in a private folder. Upstream issue: none
    known (circus-tent/circus/issues/1066 shows ipc endpoints). Can go when BentoML offers both as options.
    """
    start = Arbiter.__init__

    def start_hardened(self: Arbiter, *args: Any, **options: Any) -> None:
        folder = tempfile.mkdtemp(prefix="bentoml-arbiter-")
        sockets = {"endpoint": f"ipc://{folder}/commands", "pubsub_endpoint": f"ipc://{folder}/events"}
        start(self, *args, **{**options, **sockets, "check_delay": CHECK_SECONDS})
        self.exit_stack.callback(shutil.rmtree, folder, ignore_errors=True)

    Arbiter.__init__ = start_hardened  # type: ignore[method-assign]


def disable_middleware() -> None:
    """Have BentoML's timeout middleware, and OpenTelemetry's, pass requests on unchanged.

    Reason: the timeout keeps a timer for each request until long after its answer, 80,000 of them under load, which makes all
    requests a quarter slower; bodies and answers have deadlines of their own. OpenTelemetry's examines the URL of every request
    to find that it is not traced; ``serving.middleware.tracing`` traces those that are. Upstream issue: none known of the
    timers; BentoML/issues/5642 (open) is about the same timeout. Can go when both are options.
    """

    async def pass_on(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    TimeoutMiddleware.__call__ = pass_on  # type: ignore[method-assign]
    OpenTelemetryMiddleware.__call__ = pass_on  # type: ignore[method-assign]


class Unserved(Dependency[Any]):  # type: ignore[misc]  # BentoML's SDK has no types
    """A service that belongs to the Bento but is not started with this one: it is never called."""

    def get(self, **_: Any) -> None:
        """No proxy: there is nothing to call."""


def skip_unserved() -> None:
    """Have ``bentoml serve`` start no service that is ``Unserved``.

    Reason: a Bento holds the services that its class depends on when it is built, and no others can be served from it; so the
    class always names the runner, also where its topology has none. Upstream issue: none known. Can go when a dependency can be
    disabled at run time.
    """
    all_services = Service.all_services

    def served(self: Service[Any], exclude_urls: bool = False) -> dict[str, Service[Any]]:
        services: dict[str, Service[Any]] = all_services(self, exclude_urls=exclude_urls)
        if exclude_urls:  # only `bentoml serve` asks so
            for dependency in self.dependencies.values():
                if isinstance(dependency, Unserved) and dependency.on is not None:
                    services.pop(dependency.on.name, None)
        return services

    Service.all_services = served


def limit_http(max_connections: int) -> None:
    """Have uvicorn use ``LimitedProtocol``, with at most ``max_connections`` in each worker.

    Reason: uvicorn's parser limits neither headers nor connections, and BentoML passes no protocol class to it; so the class
    for ``http="auto"`` is replaced. Upstream: BentoML/issues/4671 (uvicorn's options; closed with a few of them),
    uvicorn/pull/2019 (limits with httptools, closed). Can go when uvicorn has the limits and BentoML passes them on.
    """
    auto.AutoHTTPProtocol = LimitedProtocol
    limit_connections(max_connections)


def cache_schema() -> None:
    """Have BentoML make ``/schema.json`` once, in a thread.

    Reason: it makes it for each request, in the event loop, which takes many times as long as classifying a small image.
    Upstream issue: none known. Can go when BentoML caches it.
    """
    made: dict[str, Any] = {}

    def schema(service: Any) -> Any:
        if service.name not in made:
            made[service.name] = service.schema()
        return made[service.name]

    async def schema_view(self: ServiceAppFactory, _: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(schema, self.service))

    ServiceAppFactory.schema_view = schema_view
