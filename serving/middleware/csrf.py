"""Cross-site request guard: refuses changes that a page of another site has a visitor's browser send.

A browser keeps the answer from a page of another site unless CORS allows it, but it does send the request, which could fill the
gallery of a service on the visitor's own machine.
"""

from collections.abc import Collection
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.errors import Problem
from serving.process import metrics
from serving.process.request_context import HEADER_NAME

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE: Final = (b"same-origin", b"none")  # of Sec-Fetch-Site: a page of this service, or the visitor's own action


def cors_options(origins: Collection[str]) -> dict[str, Any]:
    """The options of Starlette's CORS middleware for these origins."""
    return {
        "allow_origins": list(origins),
        "allow_methods": ["GET", "POST", "PATCH", "DELETE"],
        "allow_headers": ["Authorization", "Content-Type", HEADER_NAME, "Traceparent"],
        "expose_headers": ["Location", "Retry-After", HEADER_NAME],
    }


class CrossSiteGuard:
    """ASGI middleware that answers 403 to an unsafe method from another site whose origin is not in ``origins``.

    Clients that are no browser send neither ``Sec-Fetch-Site`` nor ``Origin``, and pass.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and self._is_cross_site(scope["headers"]):
            metrics.errors.labels("forbidden").inc()
            detail = "A page of another site sent this. Add its origin to CORS_ORIGINS to allow that."
            await Problem("forbidden", detail).response()(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_cross_site(self, headers: list[tuple[bytes, bytes]]) -> bool:
        found = {name: value for name, value in headers if name in (b"origin", b"sec-fetch-site", b"host")}
        origin = found.get(b"origin")
        if origin in self._origins:
            return False
        if b"sec-fetch-site" in found:
            return found[b"sec-fetch-site"] not in SAME_SITE
        return origin is not None and origin.partition(b"://")[2] != found.get(b"host")
