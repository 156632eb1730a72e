"""Pages of other sites: what their scripts, running in a visitor's browser, may ask of this service.

By default nothing. A browser lets no page read an answer of another site that does not allow it, but it does send the request,
which could fill the gallery of a service on the visitor's own machine: so what changes something is also refused.
"""

from collections.abc import Collection
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.errors import Problem
from serving.process import metrics

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE: Final = (b"same-origin", b"none")  # of Sec-Fetch-Site: this service's page, or the visitor's own doing


def sharing(origins: Collection[str]) -> dict[str, Any]:
    """The options of Starlette's CORS middleware for the pages of these origins."""
    return {
        "allow_origins": list(origins),
        "allow_methods": ["GET", "POST", "PATCH", "DELETE"],
        "allow_headers": ["Authorization", "Content-Type"],
        "expose_headers": ["Location", "Retry-After"],
    }


class ForeignPages:
    """Refuses what a page of another site, whose origin is not listed, has a browser send. Whatever is no browser says nothing
    of where it comes from, and is let through."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE and self._foreign(scope["headers"]):
            metrics.problems.labels("forbidden").inc()
            detail = "A page of another site sent this. The service takes that only from origins listed in CORS_ORIGINS."
            await Problem("forbidden", detail).response()(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _foreign(self, headers: list[tuple[bytes, bytes]]) -> bool:
        said = {name: value for name, value in headers if name in (b"origin", b"sec-fetch-site", b"host")}
        origin = said.get(b"origin")
        if origin in self._origins:
            return False
        if b"sec-fetch-site" in said:
            return said[b"sec-fetch-site"] not in OWN_SITE
        return origin is not None and origin.partition(b"://")[2] != said.get(b"host")
