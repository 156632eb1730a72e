"""The request that the current task works for: its id, which answers, log lines and traces have, and its span if traced."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import islice
from random import getrandbits
from typing import Any, Final

HEADER: Final = b"x-request-id"
HEADER_NAME: Final = "X-Request-ID"
# Needs no escaping in JSON, in a log line or in a header. Longer ids than any known generator makes are replaced.
WELL_FORMED: Final = re.compile(rb"[A-Za-z0-9._:=/+-]{1,128}")
ID_BITS: Final = 64
# Ids that a batch of several requests has in the log and in a call of the runner; a header has room for no more than some.
MAX_JOINED: Final = 16


class RequestContext:
    """A request's id and, if it is traced, its OpenTelemetry span; that of a batch of several requests has their ids."""

    __slots__ = ("request_id", "span")

    def __init__(self, request_id: str, span: Any = None) -> None:
        self.request_id = request_id
        self.span = span


NO_REQUEST: Final = RequestContext("")
CURRENT: Final[ContextVar[RequestContext]] = ContextVar("request", default=NO_REQUEST)


def new_request_id() -> str:
    """A new request id: 16 hexadecimal digits. It is unique, not secret: the system is asked for randomness once a process."""
    return f"{getrandbits(ID_BITS):016x}"


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The ``X-Request-ID`` of a request if it has one that is well formed, else a new one."""
    given = [value for name, value in headers if name == HEADER]
    return given[0].decode("ascii") if len(given) == 1 and WELL_FORMED.fullmatch(given[0]) else new_request_id()


def trusted_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The ``X-Request-ID`` that an API worker sends to the runner, which may be several joined; empty without one."""
    return next((value.decode("ascii", "replace") for name, value in headers if name == HEADER), "")


def joined(requests: Iterable[RequestContext]) -> RequestContext:
    """The context of a batch: that of its request if all its images are of one, else with the ids of the first
    ``MAX_JOINED`` requests."""
    distinct = list(dict.fromkeys(requests))
    if len(distinct) == 1:
        return distinct[0]
    ids = list(islice(dict.fromkeys(request.request_id for request in distinct), MAX_JOINED + 1))
    return RequestContext(",".join(ids[:MAX_JOINED]) + (",..." if len(ids) > MAX_JOINED else ""))
