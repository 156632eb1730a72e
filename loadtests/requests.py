"""HTTP requests of load tests: how each is sent, which response is correct, and what is wrong with one that is not."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import httpx

FORM_TYPE: Final = "multipart/form-data; boundary=loadtest-form-boundary"
# The label of an image in a response, with the version of the model; those in `top` have none.
LABEL: Final = re.compile(rb'"version":"[^"]*","label":"[^"]*"')
SUCCESS: Final = frozenset((200, 201, 204))
# In place of a status: no response, no free connection, and a response that was not waited for.
BROKEN, DROPPED, HUNG_UP = 0, -1, -2

Options = dict[str, str] | None


class SendMode(Enum):
    """How a request is sent."""

    KEEP_ALIVE = "over a pooled connection"
    OWN_CONNECTION = "over a new connection that is closed after the response"
    HANG_UP = "over a new connection that is closed without waiting for the response"
    SLOW = "over a new connection, then one byte a second until the response"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, how it is sent, and what a correct response is.

    ``content_length`` announces another length than that of the body. ``good`` is false for requests that are expected to be
    refused. ``labels`` has what each of the response's ``labels()`` must end with, None if any will do.
    """

    name: str
    target: str = "/classify"
    body: bytes = b""
    content_type: str = ""
    method: str = "POST"
    content_length: int | None = None
    statuses: frozenset[int] = frozenset((200,))
    good: bool = True
    mode: SendMode = SendMode.KEEP_ALIVE
    labels: tuple[bytes, ...] | None = None

    def encode(self, host: str, headers: Mapping[str, str] = MappingProxyType({}), prefix: str = "") -> bytes:
        """Encode the request for a host, with further headers and a prefix of its target."""
        head = [f"{self.method} {prefix}{self.target} HTTP/1.1", f"Host: {host}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        if self.content_type:
            head.append(f"Content-Type: {self.content_type}")
        if self.method == "POST":
            head.append(f"Content-Length: {len(self.body) if self.content_length is None else self.content_length}")
        return "\r\n".join([*head, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Response:
    """A response: its status, ``BROKEN`` if there was none, the body, and the headers by their names in lower case.

    ``seconds`` count from when the request was sent, or in an open loop from when it was due. ``due`` is when that was, in
    seconds since the start of the load, and ``lag`` how many seconds later it was sent.
    """

    status: int
    seconds: float = 0.0
    body: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    due: float = 0.0
    lag: float = 0.0


def encode_form(images: list[bytes], field: str = "image", options: Options = None) -> bytes:
    """Encode a body of type ``FORM_TYPE``: every image as a file in ``field``, then the options as text fields."""
    files = [(field, ("picture.png", data, "image/png")) for data in images]
    texts = [(name, (None, value.encode())) for name, value in (options or {}).items()]
    return httpx.Request("POST", "http://localhost", headers={"Content-Type": FORM_TYPE}, files=[*files, *texts]).read()


def form_request(
    name: str, images: list[bytes], target: str = "/classify", field: str = "image", options: Options = None, **expected: Any
) -> Request:
    """Make a request that posts images as a form; ``expected`` are fields of ``Request``."""
    return Request(name, target, encode_form(images, field, options), FORM_TYPE, **expected)


def labels(body: bytes) -> tuple[bytes, ...]:
    """The versions and labels in a response, as JSON, one for each image."""
    return tuple(LABEL.findall(body))


def is_problem(response: Response) -> bool:
    """Whether a response is a problem document that names a code, and has a Retry-After if its status is 429 or 503."""
    if not response.headers.get(b"content-type", b"").startswith(b"application/problem+json"):
        return False
    try:
        document = json.loads(response.body)
        status, code = document["status"], document["code"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(code) and (status not in (429, 503) or response.headers.get(b"retry-after", b"").isdigit())


def find_fault(request: Request, response: Response) -> str:
    """What is wrong with a response: its status, its problem document or its labels; an empty text if nothing is."""
    if response.status not in request.statuses:
        return "no response" if response.status == BROKEN else f"{response.status}"
    if response.status not in SUCCESS:
        return "" if is_problem(response) else f"{response.status} without a problem document or Retry-After"
    if request.labels is not None:
        found = labels(response.body)
        if len(found) != len(request.labels) or not all(map(bytes.endswith, found, request.labels)):
            return "wrong label"
    return ""
