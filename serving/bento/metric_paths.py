"""Bounds the path labels of BentoML's request metrics: the routes of the API, and one label for all other paths. Failures of
the routes are counted from 0, because Prometheus cannot see the first step of a counter that appears with it.

Patch: BentoML's metrics middleware is replaced by a subclass. Reason: BentoML labels by the raw path, before authentication, so
that a client who requests ten thousand paths that do not exist fills memory, disk and ``/metrics``. Upstream issue: none known
of BentoML; starlette-prometheus/issues/7 is the same problem. Can go when BentoML labels by route. Test:
tests/served/test_patches.py::test_metrics_are_labelled_by_route.
"""

from itertools import product
from typing import Any, Final

from bentoml import server_context
from bentoml._internal.server.http import instruments
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.bento.service_options import SERVICE_NAME
from serving.http.routes import ROUTES

OTHER: Final = "other"
GALLERY: Final = "/gallery/"
ENTRY: Final = "/gallery/{id}"
SYSTEM: Final = ("/", "/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/docs.json")
RUNNER: Final = "/status"
KNOWN: Final = frozenset((*SYSTEM, RUNNER, *(route.path for route in ROUTES if "{" not in route.path)))
API_PATHS: Final = frozenset(ENTRY if "{" in route.path else route.path for route in ROUTES)
COUNTED_FROM_ZERO: Final = (200, 429, 500, 503, 504)
_PATH: Final = "image_classifier.path"


def metric_path(path: str) -> str:
    """The label of a request's path, one of a few."""
    if path in KNOWN:
        return path
    return ENTRY if path.startswith(GALLERY) else OTHER


class RouteMetrics(instruments.RunnerTrafficMetricsMiddleware):
    """BentoML's middleware, which sees ``metric_path`` of a path; the application behind it sees the path itself."""

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        async def with_path(scope: Scope, receive: Receive, send: Send) -> None:
            if _PATH in scope:
                scope["path"] = scope.pop(_PATH)
            await app(scope, receive, send)

        super().__init__(with_path, **options)

    def _setup(self, *arguments: Any, **options: Any) -> Any:
        super()._setup(*arguments, **options)
        service = server_context.service_name
        for path, status in product(API_PATHS if service == SERVICE_NAME else (), COUNTED_FROM_ZERO):
            self.metrics_request_total.labels(
                endpoint=path,
                service_name=server_context.bento_name,
                service_version=server_context.bento_version,
                http_response_code=status,
                runner_name=service,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": metric_path(scope["path"]), _PATH: scope["path"]}
        await super().__call__(scope, receive, send)


def label_metrics_by_route() -> None:
    """Have BentoML use ``RouteMetrics``."""
    instruments.RunnerTrafficMetricsMiddleware = RouteMetrics  # type: ignore[misc, assignment]
