"""What a log record becomes, whoever wrote it and whatever a client put in it."""

import io
import logging
from collections.abc import Iterator

import pytest

from serving.process.log_records import use_escaped_records


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a logger writes meanwhile."""
    before = logging.getLogRecordFactory()
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(logging.Formatter("LOG %(message)s"))
    logger = logging.getLogger("tests.log_lines")
    logger.addHandler(handler)
    logger.propagate = False
    use_escaped_records()
    yield output
    logging.setLogRecordFactory(before)
    logger.removeHandler(handler)


def test_log_message_is_one_line(written: io.StringIO) -> None:
    logger = logging.getLogger("tests.log_lines")
    logger.error("%s %s", "/x\nFAKE", "a\r\x1b[31m\u2028\u202e\x85b")
    logger.error("as it is: 칠 %d%%\n", 7)
    assert written.getvalue() == "LOG /x\\nFAKE a\\r\\x1b[31m\\u2028\\u202e\\x85b\nLOG as it is: 칠 7%\n"


def test_no_line_of_a_traceback_looks_like_a_record(written: io.StringIO) -> None:
    logger = logging.getLogger("tests.log_lines")
    try:
        raise ValueError("a\nLOG FAKE\rLOG FAKE\u2028LOG FAKE")
    except ValueError as error:
        logger.error("one", exc_info=error)
        logger.exception("two")
    logger.error("three", exc_info=True)
    lines = written.getvalue().splitlines()
    assert [line for line in lines if not line.startswith("  ")] == ["LOG one", "LOG two", "LOG three", "NoneType: None"]
    assert sum("ValueError: a" in line for line in lines) == 2
