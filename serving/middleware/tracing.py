"""Traces requests with OpenTelemetry: a span for each, which continues the trace of the caller."""

from collections.abc import Callable
from typing import Final

from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.process.request_context import CURRENT
from serving.process.tracing import TRACE_CONTEXT, tracer

# Asked every few seconds by machines.
UNTRACED: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics", "/status"})
TRACE_HEADERS: Final = (b"traceparent", b"tracestate")
# Characters of a path in a span, which has the whole length that a client sends otherwise.
MAX_PATH: Final = 200


class Tracing:
    """ASGI middleware that begins a span for each request and ends it after the response. Inside it, ``RequestContext.span`` is
    that span, where the request is sampled. ``route`` gives the route of a path, one of a few.

    OpenTelemetry's own middleware, which BentoML brings, has no ids of requests, and adds a span for each part of a body.
    """

    def __init__(self, app: ASGIApp, route: Callable[[str], str]) -> None:
        self.app = app
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self.app(scope, receive, send)
            return
        request, method, route = CURRENT.get(), scope["method"], self._route(scope["path"])
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in TRACE_HEADERS}
        span = tracer().start_span(f"{method} {route}", TRACE_CONTEXT.extract(headers), SpanKind.SERVER)
        if not span.is_recording():
            await self.app(scope, receive, send)
            return
        request.span = span
        span.set_attributes(
            {
                "request_id": request.request_id,
                "http.request.method": method,
                "http.route": route,
                "url.path": scope["path"][:MAX_PATH],
                "client.address": (scope.get("client") or ("",))[0],
            }
        )

        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= 500:
                    span.set_status(StatusCode.ERROR)
            await send(message)

        try:
            await self.app(scope, receive, send_traced)
        except BaseException as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()
