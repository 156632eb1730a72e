"""Who may ask for what: requests without a key that allows them end here, before their bodies are read."""

import logging
import math
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.errors import Problem
from serving.middleware.api_key_store import ApiKeyStore
from serving.middleware.api_keys import Key, Role, digest, find
from serving.middleware.rate_limit import TokenBucket
from serving.process import metrics
from serving.process.workers import shared_folder
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Health for the machines that watch, and the description of the API, which is the same for all and holds nothing of anybody.
OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/healthz", "/", "/docs.json", "/schema.json"})
OPEN_FOLDER: Final = "/static_content/"
# What a reader may post; whatever else is sent, also to routes that do not exist yet, changes what others see.
READER_POSTS: Final = frozenset({"/classify", "/classify/batch", "/explain", "/gallery"})
# Where in a request's scope its API key is, for what lies behind.
CALLER: Final = "image_classifier.key"
_SCHEME: Final = b"bearer "


def required_role(method: str, path: str) -> Role | None:
    """What a request needs: nothing, or a key that reads, or one that administers."""
    if method in READING:
        return None if path in OPEN_PATHS or path.startswith(OPEN_FOLDER) else "read"
    return "read" if method == "POST" and path in READER_POSTS else "admin"


class InsideOnly:
    """Before the runner, which takes pickles, and so any program a caller likes: lets in who knows the service's own key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app = app
        self._keys = [Key("inside", "admin", digest(key.encode()))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and find(self._keys, _bearer(scope)) is None:
            await Problem("unauthorized", "The runner works for its own service alone.").response()(scope, receive, send)
            return
        await self.app(scope, receive, send)


class Access:
    """Lets through what needs no key, and what comes with one that allows it (``Authorization: Bearer``) and has not asked too
    often; everything else is answered 401, 403 or 429."""

    def __init__(self, app: ASGIApp, keys: Path, settings: Settings) -> None:
        self.app = app
        self._store = ApiKeyStore(keys)
        self._buckets = TokenBucket(settings.rate_limit, shared_folder()) if settings.rate_limit else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._admit(scope)
            except Problem as problem:
                metrics.problems.labels(problem.code).inc()
                await problem.response()(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        """Return if the request may go on.

        Raises:
            Problem: ``unauthorized``, ``forbidden`` or ``rate_limited``.
        """
        method, path = scope["method"], scope["path"]
        role = required_role(method, path)
        if role is None:
            return
        secret = _bearer(scope)
        key = await self._store.find(secret) if secret else None
        if key is None:
            wrong = "This key is not one of the service's." if secret else "The request has no key."
            raise Problem("unauthorized", f"{wrong} Send one of its keys as `Authorization: Bearer KEY`.")
        if not key.allows(role):
            raise Problem("forbidden", f"The key {key.name!r} may not {method} {path}: that takes one with the role {role!r}.")
        if self._buckets is not None and (seconds := self._buckets.acquire(key.digest)):
            wait = math.ceil(seconds)
            raise Problem("rate_limited", f"The key {key.name!r} has asked too often. Try again in {wait} s.", retry_after=wait)
        if role == "admin":
            logger.info("%s %s with the key %s", method, path, key.name)
        scope[CALLER] = key


def caller(scope: Scope) -> Key | None:
    """The API key that a request was let in with; None where it needed none."""
    key: Key | None = scope.get(CALLER)
    return key


def _bearer(scope: Scope) -> bytes:
    """The key that a request presents; none if it presents two."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1 or given[0][: len(_SCHEME)].lower() != _SCHEME:
        return b""
    secret: bytes = given[0][len(_SCHEME) :].strip()
    return secret
