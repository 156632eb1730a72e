"""Adds security headers to every response: no type sniffing, no framing, no caching, no scripts."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class SecurityHeaders:
    """ASGI middleware that adds each header a response does not have yet."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cache = REVALIDATE if scope["path"].startswith(STATIC_FILES) else NO_STORE

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in (*HEADERS, cache) if header[0] not in present),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers)
