"""Bounds the path labels of BentoML's request metrics: the routes of the API, and one label for all other paths. Failures of
the routes are counted from 0, because Prometheus cannot see the first step of a counter that appears with it.

Patch: BentoML's metrics middleware is replaced by a subclass. Reason: BentoML labels by the raw path, before authentication, so
that a client who requests ten thousand paths that do not exist fills memory, disk and ``/metrics``. It also looks up the labels
of five metrics for each request, which are kept here. Upstream issue: none known
of BentoML; starlette-prometheus/issues/7 is the same problem. Can go when BentoML labels by route. Test:
tests/served/test_patches.py::test_metrics_are_labelled_by_route.
"""

from itertools import product
from time import perf_counter, time
from typing import Any, Final

from bentoml import server_context
from bentoml._internal.server.http import instruments
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.bento.service_options import SERVICE_NAME
from serving.http.routes import ROUTES

OTHER: Final = "other"
GALLERY: Final = "/gallery/"
ENTRY: Final = "/gallery/{id}"
METRICS: Final = "/metrics"
SYSTEM: Final = ("/", "/livez", "/readyz", "/healthz", METRICS, "/schema.json", "/docs.json")
RUNNER: Final = "/status"
KNOWN: Final = frozenset((*SYSTEM, RUNNER, *(route.path for route in ROUTES if "{" not in route.path)))
API_PATHS: Final = frozenset(ENTRY if "{" in route.path else route.path for route in ROUTES)
COUNTED_FROM_ZERO: Final = (200, 429, 500, 503, 504)


def metric_path(path: str) -> str:
    """The label of a request's path, one of a few."""
    if path in KNOWN:
        return path
    return ENTRY if path.startswith(GALLERY) else OTHER


class RouteMetrics(instruments.RunnerTrafficMetricsMiddleware):
    """BentoML's middleware with ``metric_path`` of a path as its label, whose metrics of a route and a status are looked up
    once."""

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        super().__init__(app, **options)
        self._in_progress: dict[str, Any] = {}
        self._answers: dict[tuple[str, int], tuple[Any, Any]] = {}

    def _setup(self, *arguments: Any, **options: Any) -> None:
        super()._setup(*arguments, **options)
        self._service = {
            "service_name": server_context.bento_name,
            "service_version": server_context.bento_version,
            "runner_name": server_context.service_name,
        }
        self._last_request = self.metrics_last_request_timestamp.labels(**self._service)
        for path, status in product(API_PATHS if server_context.service_name == SERVICE_NAME else (), COUNTED_FROM_ZERO):
            self.metrics_request_total.labels(endpoint=path, http_response_code=status, **self._service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == METRICS:
            await super().__call__(scope, receive, send)
            return
        if not self._is_setup:
            self._setup()
        path = metric_path(scope["path"])
        if path not in self.skip_paths:
            self._last_request.set(time())
        started, status = perf_counter(), 0

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body", False):
                self._count(path, status, perf_counter() - started)
            await send(message)

        in_progress = self._in_progress.get(path)
        if in_progress is None:
            in_progress = self._in_progress[path] = self.metrics_request_in_progress.labels(endpoint=path, **self._service)
        in_progress.inc()
        try:
            await self.app(scope, receive, send_counted)
        finally:
            in_progress.dec()

    def _count(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        answers = self._answers.get((path, status))
        if answers is None:
            labels = {"endpoint": path, "http_response_code": status, **self._service}
            answers = self.metrics_request_total.labels(**labels), self.metrics_request_duration.labels(**labels)
            self._answers[path, status] = answers
        total, duration = answers
        total.inc()
        duration.observe(seconds)


def label_metrics_by_route() -> None:
    """Have BentoML use ``RouteMetrics``."""
    instruments.RunnerTrafficMetricsMiddleware = RouteMetrics  # type: ignore[misc, assignment]
