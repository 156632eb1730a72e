"""Gives every request its id, and adds to every response that id and security headers: no type sniffing, no framing, no
caching, no scripts."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.process.request_context import CURRENT, HEADER, RequestContext, request_id_of

Header = tuple[bytes, bytes]

STATIC_FILES: Final = "/static_content/"
HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
# Responses are about private pictures; the static files of the API's page are validated by their ETag.
NO_STORE: Final[Header] = (b"cache-control", b"no-store")
REVALIDATE: Final[Header] = (b"cache-control", b"no-cache")


class ResponseHeaders:
    """ASGI middleware that begins the ``RequestContext`` of a request, and adds ``X-Request-ID`` to its response and each
    security header that it does not have yet.

    Log lines of the middleware around this one have the id too when they are written while the response is sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = RequestContext(request_id_of(scope["headers"]))
        CURRENT.set(request)  # for this task alone: the server starts one for each request
        added = (*HEADERS, REVALIDATE if scope["path"].startswith(STATIC_FILES) else NO_STORE)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (HEADER, request.request_id.encode("ascii")),
                    *(header for header in added if header[0] not in present),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers)
