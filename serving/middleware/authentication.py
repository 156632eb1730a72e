"""Authenticates requests by API key, authorizes them by role, and applies the rate limit, before their bodies are read."""

import math
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.errors import Problem
from serving.middleware.api_key_store import ApiKeyStore
from serving.middleware.api_keys import Key, Role, digest, find
from serving.middleware.audit import ANONYMOUS, Actor, write
from serving.middleware.rate_limit import TokenBucket
from serving.process import metrics
from serving.process.request_context import CURRENT, HEADER_NAME, RequestContext, new_request_id, trusted_request_id
from serving.process.workers import shared_folder
from serving.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Health checks, and the description of the API, which is the same for everybody.
PUBLIC_PATHS: Final = frozenset({"/livez", "/readyz", "/healthz", "/", "/docs.json", "/schema.json"})
# What an orchestrator asks of a runner that runs by itself. They read no body and say nothing else.
RUNNER_PROBES: Final = frozenset({"/livez", "/readyz"})
PUBLIC_FOLDER: Final = "/static_content/"
# What the role `read` may post. Any other unsafe method, also on routes that are added later, needs `admin`.
READ_POSTS: Final = frozenset({"/classify", "/classify/batch", "/explain", "/gallery"})
# Where in a request's scope its API key is, for the application.
SCOPE_KEY: Final = "image_classifier.key"
_SCHEME: Final = b"bearer "
# Characters of a path, and of X-Forwarded-For, in the audit log.
AUDITED_PATH: Final = 200


def required_role(method: str, path: str) -> Role | None:
    """The role that a request needs; None where it needs no key."""
    if method in SAFE_METHODS:
        return None if path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDER) else "read"
    return "read" if method == "POST" and path in READ_POSTS else "admin"


class InternalAuth:
    """ASGI middleware of the runner service: only requests with the service's own key pass, and probes. It begins the
    ``RequestContext`` of a call, with the ids of the requests that the API worker makes it for.

    The runner reads pickles, so that whoever can call it can run any program in it.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app = app
        self._keys = [Key("internal", "admin", digest(key.encode()))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_probe(scope):
            await self.app(scope, receive, send)
            return
        if find(self._keys, _bearer(scope)) is None:
            request_id = new_request_id()
            problem = Problem("unauthorized", "The runner only serves the API workers of its own service.")
            response = problem.response(request_id)
            response.headers[HEADER_NAME] = request_id
            await response(scope, receive, send)
            return
        CURRENT.set(RequestContext(trusted_request_id(scope["headers"])))
        await self.app(scope, receive, send)


class Authentication:
    """ASGI middleware that answers 401 without a valid key (bearer token), 403 without the role, 429 over the rate limit."""

    def __init__(self, app: ASGIApp, keys: Path, settings: Settings) -> None:
        self.app = app
        self._store = ApiKeyStore(keys)
        self._buckets = TokenBucket(settings.rate_limit, shared_folder()) if settings.rate_limit else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._authorize(scope)
            except Problem as problem:
                metrics.errors.labels(problem.code).inc()
                await problem.response()(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _authorize(self, scope: Scope) -> None:
        """Return if the request may pass.

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
            wrong = "Unknown API key." if secret else "The request has no API key."
            raise Problem("unauthorized", f"{wrong} Send one as `Authorization: Bearer KEY`.")
        if not key.allows(role):
            problem = Problem("forbidden", f"The key {key.name!r} may not {method} {path}. Use a key with the role {role!r}.")
            scope[SCOPE_KEY] = key
            write("request", problem.code, actor_of(scope), {"method": method, "path": path[:AUDITED_PATH]})
            raise problem
        if self._buckets is not None and (seconds := self._buckets.acquire(key.digest)):
            wait = math.ceil(seconds)
            raise Problem(
                "rate_limited", f"The key {key.name!r} sent too many requests. Try again in {wait} s.", retry_after=wait
            )
        scope[SCOPE_KEY] = key


def _is_probe(scope: Scope) -> bool:
    return scope["path"] in RUNNER_PROBES and scope["method"] in SAFE_METHODS


def authenticated_key(scope: Scope) -> Key | None:
    """The API key that a request was authenticated with; None where it needed none."""
    key: Key | None = scope.get(SCOPE_KEY)
    return key


def actor_of(scope: Scope) -> Actor:
    """Who sent a request, for the audit log."""
    key = authenticated_key(scope)
    forwarded = next((value for name, value in scope["headers"] if name == b"x-forwarded-for"), b"")
    client = scope.get("client") or ("",)
    return Actor(ANONYMOUS if key is None else key.name, client[0], forwarded.decode("latin-1")[:AUDITED_PATH])


def _bearer(scope: Scope) -> bytes:
    """The key that a request presents; empty if it presents none or two."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1 or given[0][: len(_SCHEME)].lower() != _SCHEME:
        return b""
    secret: bytes = given[0][len(_SCHEME) :].strip()
    return secret
