"""What BentoML's own metrics call the path of a request.

They have a series for every path they meet, for ever, and they meet it before keys are asked for: whoever asks for ten thousand
paths that are not there would fill memory, disk and ``/metrics``. Here they meet the paths of the API and one for all others.
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
        *("/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/docs.json", "/describe"),
    )
)
_ASKED: Final = "image_classifier.path"


def endpoint(path: str) -> str:
    """One of a few names for any path."""
    if path in KNOWN:
        return path
    return "/gallery/{id}" if path.startswith(GALLERY) else OTHER


@cache  # once is enough, and twice would be wrong
def name_few_endpoints() -> None:
    """Have BentoML's metrics see ``endpoint`` of a path, and what lies behind them the path itself."""
    for middleware in (HTTPTrafficMetricsMiddleware, RunnerTrafficMetricsMiddleware):
        _wrap(middleware)


def _wrap(middleware: Any) -> None:
    begin, call = middleware.__init__, middleware.__call__

    def __init__(self: Any, app: ASGIApp, *arguments: Any, **options: Any) -> None:  # noqa: N807 - a method to be
        async def as_asked(scope: Scope, receive: Receive, send: Send) -> None:
            if _ASKED in scope:
                scope["path"] = scope.pop(_ASKED)
            await app(scope, receive, send)

        begin(self, as_asked, *arguments, **options)

    async def __call__(self: Any, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: N807
        if scope["type"] == "http":
            scope = {**scope, "path": endpoint(scope["path"]), _ASKED: scope["path"]}
        await call(self, scope, receive, send)

    middleware.__init__, middleware.__call__ = __init__, __call__
