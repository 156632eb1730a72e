"""What every answer tells a browser: guess no types, frame nothing, keep nothing, run nothing."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

ASSETS: Final = "/static_content/"
HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
# Answers are about somebody's picture; the files of the API's page are the same for all and checked by their ETag.
PRIVATE: Final[Header] = (b"cache-control", b"no-store")
CHECKED: Final[Header] = (b"cache-control", b"no-cache")


class SecurityHeaders:
    """Adds to every answer what it does not say itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cache = CHECKED if scope["path"].startswith(ASSETS) else PRIVATE

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in (*HEADERS, cache) if header[0] not in said)]
            await send(message)

        await self.app(scope, receive, send_guarded)
