"""Bounds the path labels of BentoML's request metrics: the paths of the API, and one label for all others.

Patch: ``__init__`` and ``__call__`` of BentoML's two metrics middlewares. Reason: they label by the raw path, and run before
authentication, so that a client who requests ten thousand paths that do not exist fills memory, disk and ``/metrics``. Upstream
issue: none known of BentoML; starlette-prometheus/issues/7 is the same problem. Can go when BentoML labels by route.
"""

from functools import cache
from typing import Any, Final

from bentoml._internal.server.http.instruments import HTTPTrafficMetricsMiddleware, RunnerTrafficMetricsMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

OTHER: Final = "other"
GALLERY: Final = "/gallery/"
KNOWN: Final = frozenset(
    (
        *("/", "/classify", "/classify/batch", "/explain", "/models", "/models/reload", "/gallery", "/gallery/export"),
        *("/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/docs.json", "/status"),
    )
)
_ORIGINAL_PATH: Final = "image_classifier.path"


def metric_path(path: str) -> str:
    """The label of a request's path, one of a few."""
    if path in KNOWN:
        return path
    return "/gallery/{id}" if path.startswith(GALLERY) else OTHER


@cache  # to wrap a middleware twice would be wrong
def bound_metric_paths() -> None:
    """Have BentoML's metrics see ``metric_path`` of a path, and the application behind them the path itself."""
    for middleware in (HTTPTrafficMetricsMiddleware, RunnerTrafficMetricsMiddleware):
        _wrap(middleware)


def _wrap(middleware: Any) -> None:
    init, call = middleware.__init__, middleware.__call__

    def __init__(self: Any, app: ASGIApp, *arguments: Any, **options: Any) -> None:  # noqa: N807 - becomes a method
        async def with_original_path(scope: Scope, receive: Receive, send: Send) -> None:
            if _ORIGINAL_PATH in scope:
                scope["path"] = scope.pop(_ORIGINAL_PATH)
            await app(scope, receive, send)

        init(self, with_original_path, *arguments, **options)

    async def __call__(self: Any, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: N807
        if scope["type"] == "http":
            scope = {**scope, "path": metric_path(scope["path"]), _ORIGINAL_PATH: scope["path"]}
        await call(self, scope, receive, send)

    middleware.__init__, middleware.__call__ = __init__, __call__
