"""Log lines as text and as JSON, with the id of the request."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest

from serving.process.log_format import JsonFormatter, TextFormatter
from serving.process.log_records import use_escaped_records
from serving.process.request_context import CURRENT, RequestContext

FORGED = 'x"}\n{"level": "FAKE"}\u2028\x1b[31m 칠'


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    before = logging.getLogRecordFactory()
    use_escaped_records()
    logger = logging.getLogger("tests.log_format")
    logger.propagate = False
    yield logger
    logging.setLogRecordFactory(before)


@contextmanager
def request(request_id: str) -> Iterator[None]:
    token = CURRENT.set(RequestContext(request_id))
    try:
        yield
    finally:
        CURRENT.reset(token)


def lines(logger: logging.Logger, formatter: logging.Formatter, write: Callable[[], None]) -> list[str]:
    """The lines that the logger writes meanwhile."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    write()
    logger.removeHandler(handler)
    return output.getvalue().splitlines()


def test_text_line_ends_with_the_id_of_its_request(logger: logging.Logger) -> None:
    def write() -> None:
        logger.warning("outside")
        with request("abc"):
            logger.warning("inside")

    outside, inside = lines(logger, TextFormatter(), write)
    assert outside.endswith(" [WARNING] [] outside")
    assert inside.endswith(" [WARNING] [] inside (request_id=abc)")


def test_json_line_is_one_object_whatever_a_client_put_in_it(logger: logging.Logger) -> None:
    def write() -> None:
        with request("abc"):
            logger.error("%s", FORGED, extra={"fields": {"action": "x"}})

    (line,) = lines(logger, JsonFormatter(), write)
    entry = json.loads(line)
    assert set(entry) == {"time", "level", "logger", "message", "request_id", "action"}
    assert (entry["level"], entry["logger"], entry["request_id"]) == ("ERROR", "tests.log_format", "abc")
    assert entry["message"] == 'x"}\\n{"level": "FAKE"}\\u2028\\x1b[31m 칠'
    assert abs((datetime.now(timezone.utc) - datetime.fromisoformat(entry["time"])).total_seconds()) < 60


def test_json_line_has_the_traceback_of_an_exception(logger: logging.Logger) -> None:
    def write() -> None:
        try:
            raise ValueError(FORGED)
        except ValueError:
            logger.exception("failed")

    (line,) = lines(logger, JsonFormatter(), write)
    entry = json.loads(line)
    assert entry["message"] == "failed"
    assert entry["exception"].startswith("  Traceback (most recent call last):\n")
    assert "ValueError: x" in entry["exception"]
    assert "request_id" not in entry
