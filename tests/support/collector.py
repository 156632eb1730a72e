"""A collector of OpenTelemetry traces: receives OTLP over HTTP, as Jaeger and the OpenTelemetry Collector do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.support.waiting import until


class Span(NamedTuple):
    """A span as it arrived. ``kind`` as in the protocol: 1 internal, 2 server, 3 client."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent: str
    kind: int
    started: int
    ended: int
    failed: bool
    attributes: dict[str, str | int]
    links: tuple[str, ...]


class Collector:
    """The spans that have arrived, and the address to send them to."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.spans: list[Span] = []

    def trace(self, trace_id: str, complete: Callable[[list[Span]], bool]) -> list[Span]:
        """The spans of a trace by their start, as soon as they are complete."""
        until(lambda: complete(self._of(trace_id)))
        return self._of(trace_id)

    def _of(self, trace_id: str) -> list[Span]:
        return sorted((span for span in list(self.spans) if span.trace_id == trace_id), key=lambda span: span.started)


@contextmanager
def running_collector() -> Iterator[Collector]:
    """A collector on loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
            collector.spans += spans_in(ExportTraceServiceRequest.FromString(body))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def spans_in(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """The spans of a request to the collector."""
    for resource in request.resource_spans:
        service = str(_values(resource.resource.attributes)["service.name"])
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.kind,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == 2,
                    _values(span.attributes),
                    tuple(link.span_id.hex() for link in span.links),
                )


def _values(attributes: "list[KeyValue]") -> dict[str, str | int]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: AnyValue) -> str | int:
    return value.int_value if value.HasField("int_value") else value.string_value
