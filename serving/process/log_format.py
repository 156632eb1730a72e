"""The format of log lines: text as BentoML writes it, or one JSON object a line; both with the id of the request."""

import json
import logging
from datetime import datetime, timezone
from typing import Any, Final, Literal

import bentoml

from serving.process.request_context import NO_REQUEST, RequestContext

LogFormat = Literal["text", "json"]

DATE_FORMAT: Final = "%Y-%m-%dT%H:%M:%S%z"
AUDIT: Final = "audit"
# Loggers with a handler of BentoML's that also pass their records on to the root's, which would write them twice.
TWICE: Final = ("uvicorn.error", "circus")


def configure_logs(log_format: LogFormat) -> None:
    """Write the log lines of this process, of the service and of all libraries, in this format, to the handlers there are."""
    formatter = JsonFormatter() if log_format == "json" else TextFormatter()
    for name in TWICE:
        logging.getLogger(name).handlers.clear()
    for logger in (logging.getLogger(), logging.getLogger("bentoml")):
        for handler in logger.handlers:
            handler.setFormatter(formatter)
            handler.filters.clear()  # BentoML's adds what only its own format needs
    logging.getLogger(AUDIT).setLevel(logging.INFO)
    logging.captureWarnings(log_format == "json")


class TextFormatter(logging.Formatter):
    """BentoML's format, with the id of the request at the end of the line."""

    def usesTime(self) -> bool:  # noqa: N802 - the name is logging's
        """Whether a line has the time."""
        return True

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the name is logging's
        """The local time with its offset."""
        return super().formatTime(record, datefmt or DATE_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line, without a traceback."""
        request_id = _request_of(record).request_id
        end = f" (request_id={request_id})" if request_id else ""
        context = bentoml.server_context
        names = (context.service_type, context.service_name, context.worker_index)
        process = ":".join(str(name) for name in names if name)
        return f"{record.asctime} [{record.levelname}] [{process}] {record.message}{end}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, service, worker, message; and where they exist request_id, trace_id,
    span_id, exception, and the ``fields`` of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **{name: value for name, value in _process_names().items() if value},
            "message": record.getMessage(),
        }
        request = _request_of(record)
        if request.request_id:
            entry["request_id"] = request.request_id
        if request.span is not None:
            span = request.span.get_span_context()
            entry["trace_id"], entry["span_id"] = f"{span.trace_id:032x}", f"{span.span_id:016x}"
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            entry["exception"] = record.exc_text
        return json.dumps({**entry, **getattr(record, "fields", {})}, ensure_ascii=False, default=str)


def _request_of(record: logging.LogRecord) -> RequestContext:
    """The request of a record; none for one that was made before ``use_escaped_records``."""
    request: RequestContext = getattr(record, "request", NO_REQUEST)
    return request


def _process_names() -> dict[str, str | int | None]:
    """What tells the process from others of the service; nothing in the parent."""
    context = bentoml.server_context
    return {"service": context.service_name, "worker": context.worker_index}
