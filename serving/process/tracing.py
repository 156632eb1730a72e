"""OpenTelemetry traces: the tracer of this process, spans of what has ended, and what a call of the runner carries.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` there is no tracer, no request has a span, and nothing here does any work.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from threading import Thread
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import CarrierT, Getter, Setter, TextMapPropagator, default_getter, default_setter
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving.process.request_context import CURRENT, HEADER_NAME, RequestContext
from serving.process.workers import worker_slot
from serving.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Attributes = Mapping[str, str | int | float]

TRACES_PATH: Final = "/v1/traces"
# How long the end of a process waits for a collector that does not answer.
FLUSH_SECONDS: Final = 2.0
TRACE_CONTEXT: Final = TraceContextTextMapPropagator()

_running: Final[list["TracerProvider"]] = []


def start_tracing(settings: Settings, service: str, *, starts_traces: bool) -> None:
    """Have this process send its spans to the collector, if one is configured. With ``starts_traces`` a share of the requests
    without a ``traceparent`` is traced, else none.

    The exporter reads the other variables of OpenTelemetry, such as OTEL_EXPORTER_OTLP_HEADERS, from the environment.
    """
    if settings.otel_exporter_otlp_endpoint is None:
        return
    # Here: these take half a second to load.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.environment_variables import OTEL_SERVICE_NAME
    from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

    # Without a collector it would warn of every try; the end of all tries is an error.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    names = {SERVICE_INSTANCE_ID: str(worker_slot())}
    if not os.environ.get(OTEL_SERVICE_NAME):
        names[SERVICE_NAME] = service
    root = TraceIdRatioBased(settings.otel_traces_sampler_arg) if starts_traces else ALWAYS_OFF
    provider = TracerProvider(ParentBased(root), Resource.create(names), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(settings.otel_exporter_otlp_endpoint.rstrip("/") + TRACES_PATH)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _running[:] = [provider]


def stop_tracing() -> None:
    """Send the spans that are left, for at most ``FLUSH_SECONDS``."""
    if _running:
        flush = Thread(target=_running.pop().shutdown, daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)


def tracer() -> Tracer:
    """The tracer of this process; one that records nothing where there is none."""
    return _running[0].get_tracer("image_classifier") if _running else trace.NoOpTracer()


def nanoseconds(moment: float) -> int:
    """A moment of ``perf_counter`` as OpenTelemetry counts time: nanoseconds since 1970."""
    return time_ns() - int((perf_counter() - moment) * 1e9)


def add_span(request: RequestContext, name: str, started: float, ended: float, attributes: Attributes) -> None:
    """Add a span of what has ended (``perf_counter``) to the trace of a request, if it is traced."""
    if request.span is not None:
        _child(request.span, name, nanoseconds(started), attributes).end(nanoseconds(ended))


class BatchSpans:
    """The spans of one call of a model: for each traced request that has images in it, its time in the queue, and the call.

    ``queued`` has the requests, and when the first image of each was queued (``perf_counter``). The call of the first is the
    parent of what the runner service does; those of the others are linked to it.
    """

    def __init__(self, queued: Mapping[RequestContext, float], started: float, attributes: Attributes, kind: SpanKind) -> None:
        self.calls: list[Span] = []
        call_started = nanoseconds(started)  # once: the spans of one call begin and end together
        for request, moment in queued.items():
            if request.span is not None:
                add_span(request, "queue", moment, started, {})
                links = [Link(self.calls[0].get_span_context())] if self.calls else []
                self.calls.append(_child(request.span, "inference", call_started, attributes, kind, links))

    @property
    def first(self) -> Span | None:
        """The span of the call, of the first traced request."""
        return self.calls[0] if self.calls else None

    def end(self, attributes: Attributes, error: Exception | None = None) -> None:
        """End the call."""
        ended = time_ns()
        for span in self.calls:
            span.set_attributes(dict(attributes))
            if error is not None:
                span.record_exception(error)
                span.set_status(StatusCode.ERROR)
            span.end(ended)


def _child(
    parent: Span,
    name: str,
    started: int,
    attributes: Attributes,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Iterable[Link] = (),
) -> Span:
    """Start a span below ``parent`` that began at ``started``, in nanoseconds since 1970."""
    return tracer().start_span(name, trace.set_span_in_context(parent), kind, dict(attributes), list(links), started)


class RequestPropagator(TextMapPropagator):
    """Adds to a call of another service ``X-Request-ID`` and, where the request is traced, ``traceparent``."""

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,  # noqa: ARG002 - OpenTelemetry's signature
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Add the headers of the current request."""
        request = CURRENT.get()
        if request.request_id:
            setter.set(carrier, HEADER_NAME, request.request_id)
        if request.span is not None:
            TRACE_CONTEXT.inject(carrier, trace.set_span_in_context(request.span), setter)

    def extract(self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter) -> Context:
        """The trace that a request continues."""
        return TRACE_CONTEXT.extract(carrier, context, getter)

    @property
    def fields(self) -> set[str]:
        """The headers."""
        return {HEADER_NAME, *TRACE_CONTEXT.fields}


def propagate_requests() -> None:
    """Have BentoML's client of the runner send ``RequestPropagator``'s headers: it asks OpenTelemetry for those of a call."""
    propagate.set_global_textmap(RequestPropagator())
