"""The routes of the API, and how requests reach their handlers: most over the fast path, the others mounted beside BentoML."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from bentoml import get_current_service
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.backpressure.concurrency_limit import REASON
from serving.backpressure.loop_scheduler import LOOP_SCHEDULER
from serving.errors import Problem
from serving.http.handlers import Handlers
from serving.http.responses import error_response
from serving.process import metrics
from serving.process.request_context import CURRENT

Handler = Callable[[Handlers, Request], Awaitable[Response]]


class ApiRoute(NamedTuple):
    """A method, a path and their handler; a route that takes images is on the fast path, and has the concurrency limit."""

    method: str
    path: str
    handler: Handler
    takes_images: bool = False


ROUTES: Final = (
    ApiRoute("POST", "/classify", Handlers.classify, takes_images=True),
    ApiRoute("POST", "/classify/batch", Handlers.classify_batch, takes_images=True),
    ApiRoute("POST", "/explain", Handlers.explain, takes_images=True),
    ApiRoute("GET", "/models", Handlers.list_models),
    ApiRoute("POST", "/models/reload", Handlers.reload_models),
    ApiRoute("POST", "/gallery", lambda api, request: api.gallery.create(request), takes_images=True),
    ApiRoute("GET", "/gallery", lambda api, request: api.gallery.list_entries(request)),
    ApiRoute("DELETE", "/gallery", lambda api, request: api.gallery.empty(request)),
    ApiRoute("GET", "/gallery/export", lambda api, request: api.gallery.export(request)),
    ApiRoute("GET", "/gallery/{id:uuid}", lambda api, request: api.gallery.show(request)),
    ApiRoute("PATCH", "/gallery/{id:uuid}", lambda api, request: api.gallery.correct(request)),
    ApiRoute("DELETE", "/gallery/{id:uuid}", lambda api, request: api.gallery.delete(request)),
    ApiRoute("GET", "/gallery/{id:uuid}/image", lambda api, request: api.gallery.image(request)),
)
FAST_PATH: Final = {route.path: route.handler for route in ROUTES if route.takes_images}
BENTOML_APIS: Final = ("/classify", "/classify/batch", "/explain")
READY_PATH: Final = "/readyz"
# The refusal at the concurrency limit, made at the start; the id of the request goes between the two parts of its body.
_OVERLOADED: Final = Problem("overloaded", REASON).response("{request_id}")
_OVERLOADED_BODY: Final = bytes(_OVERLOADED.body).split(b"{request_id}")
_OVERLOADED_HEADERS: Final = [header for header in _OVERLOADED.raw_headers if header[0] != b"content-length"]


async def handle(handler: Handler, api: Handlers, request: Request) -> Response:
    """Answer a request with its handler, or with a problem document if that raises."""
    try:
        return await handler(api, request)
    except Exception as error:
        return error_response(error, request)


class FastPath:
    """ASGI middleware that answers the routes that take images, and ``/readyz``, before BentoML's router, contexts and
    serializers, which would take longer than the inference of a small image.

    These routes are BentoML APIs all the same, so that ``/schema.json``, the API's page and BentoML's client know them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            api: Handlers = get_current_service().api
            send = api.shutdown.close_connections(send)
            if scope["path"] == READY_PATH and scope["method"] in ("GET", "HEAD"):
                await (await api.readyz(Request(scope)))(scope, receive, send)
                return
            handler = FAST_PATH.get(scope["path"]) if scope["method"] == "POST" else None
            if handler is not None and api.concurrency_limit.is_full:
                await refuse(scope, send)
                return
            if handler is not None:
                response = await handle(handler, api, Request(scope, receive, send))
                if api.balancer is not None and scope["client"] and api.balancer.should_close(scope["client"]):
                    response.headers["connection"] = "close"
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def refuse(scope: Scope, send: Send) -> None:
    """Answer 429 before the body is read, with as little work as possible."""
    metrics.overloaded.inc()
    LOOP_SCHEDULER.tighten(scope["client"])
    body = CURRENT.get().request_id.encode("ascii").join(_OVERLOADED_BODY)
    headers = [*_OVERLOADED_HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": _OVERLOADED.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def mounted_routes() -> Starlette:
    """The routes that are not BentoML APIs, as an application to mount beside them."""

    def endpoint(handlers: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            return await handle(handlers[method], get_current_service().api, request)

        return respond

    by_path: dict[str, dict[str, Handler]] = {}
    for route in ROUTES:
        if route.path not in BENTOML_APIS:
            by_path.setdefault(route.path, {})[route.method] = route.handler
    return Starlette(routes=[Route(path, endpoint(handlers), methods=list(handlers)) for path, handlers in by_path.items()])
