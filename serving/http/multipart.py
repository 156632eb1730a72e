"""Parses multipart/form-data bodies (RFC 7578) that are in memory already, without copying the parts.

A general streaming parser takes longer than the preprocessing of a small image; with the whole body at hand, searching for the
boundary is enough.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from serving.errors import Problem

MAX_BOUNDARY: Final = 256
MAX_PART_HEADERS: Final = 8192

_FORM: Final = re.compile(rb"\s*multipart/form-data\s*(?:;|$)", re.IGNORECASE)
_TEXT: Final = re.compile(rb"\s*(?:text/|application/json)", re.IGNORECASE)
_PARAMETER: Final = re.compile(rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; a file if it has a filename, or a content type that is not text."""

    name: str
    is_file: bool
    data: bytes | memoryview


def is_form(content_type: bytes) -> bool:
    """Whether a Content-Type header is multipart/form-data."""
    return _FORM.match(content_type) is not None


def parse_form(body: bytes | bytearray, content_type: bytes, max_parts: int) -> list[Part]:
    """The parts of a complete multipart/form-data body, in order; their data are slices of it, or views of a bytearray.

    Raises:
        Problem: ``bad_request`` when it is broken or cut off, ``too_large`` when it has more than ``max_parts`` parts.
    """
    delimiter = b"\r\n--" + _boundary(content_type)
    if body.startswith(delimiter[2:]):
        at = len(delimiter) - 2
    else:
        at = body.find(delimiter)
        if at < 0:
            raise Problem("bad_request", "The multipart body is broken: the boundary of its Content-Type is not in it.")
        at += len(delimiter)
    parts: list[Part] = []
    while not body.startswith(b"--", at):
        if len(parts) == max_parts:
            raise Problem("too_large", f"The multipart body has more than the {max_parts} parts allowed. Send fewer.")
        part, at = _part(body, at, delimiter)
        parts.append(part)
    return parts


def _boundary(content_type: bytes) -> bytes:
    boundary = _parameters(content_type).get(b"boundary", b"")
    if not boundary:
        raise Problem("bad_request", "The Content-Type names no multipart boundary.")
    if len(boundary) > MAX_BOUNDARY:
        raise Problem("bad_request", f"The multipart boundary is longer than {MAX_BOUNDARY} bytes.")
    return boundary


def _part(body: bytes | bytearray, at: int, delimiter: bytes) -> tuple[Part, int]:
    """The part whose delimiter ends at ``at``, and where the next delimiter ends."""
    line_end = body.find(b"\r\n", at)
    if line_end < 0 or body[at:line_end].strip(b" \t"):
        raise Problem("bad_request", "The multipart body is broken or cut off: a boundary is not followed by a new line.")
    headers_end = body.find(b"\r\n\r\n", line_end, line_end + MAX_PART_HEADERS)
    if headers_end < 0:
        raise Problem("bad_request", "The multipart body is broken: the headers of a part do not end.")
    end = body.find(delimiter, headers_end + 2)
    if end < 0:
        raise Problem("bad_request", "The multipart body is cut off: its closing boundary is missing.")
    # An empty part may share the line break of its headers with the delimiter.
    source = body if isinstance(body, bytes) else memoryview(body)
    data = source[headers_end + 4 : max(end, headers_end + 4)]
    name, is_file = _describe(bytes(body[line_end + 2 : headers_end]))
    return Part(name, is_file, data), end + len(delimiter)


@lru_cache(maxsize=256)
def _describe(headers: bytes) -> tuple[str, bool]:
    """The field's name and whether it is a file; kept, since a client sends the same headers with each picture."""
    name, is_file = "", False
    for line in headers.split(b"\r\n"):
        key, _, value = line.partition(b":")
        key = key.strip().lower()
        if key == b"content-disposition":
            parameters = _parameters(value)
            name = parameters.get(b"name", b"").decode("utf-8", "replace")
            is_file |= b"filename" in parameters or b"filename*" in parameters
        is_file |= key == b"content-type" and not _TEXT.match(value)
    return name, is_file


def _parameters(header: bytes) -> dict[bytes, bytes]:
    """The ``; key=value`` parameters of a header, unquoted; of a repeated one the first."""
    found: dict[bytes, bytes] = {}
    for key, quoted, plain in _PARAMETER.findall(header):
        found.setdefault(key.lower(), re.sub(rb"\\(.)", rb"\1", quoted) if quoted else plain)
    return found
