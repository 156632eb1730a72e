"""Parses JSON and urlencoded request bodies, leaving long base64 strings in place instead of copying them."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

from serving.errors import Problem
from serving.http.base64_images import JSON_STRING, URLENCODED, EncodedImage

# The most bytes of JSON besides its long strings.
MAX_REST: Final = 16_384
LONG: Final = 72  # longer than a model name or a gallery key
MAX_ESCAPED_QUOTES: Final = 256
MAX_VALUE: Final = 4096
JSON_EXAMPLE: Final = '{"image": "<base64>", "model": "digits"}'
HINT: Final = f"Send JSON like {JSON_EXAMPLE}, the image file as base64; arrays of pixels are not read."
# Replaces a long string before the JSON parser runs; a client that sends it itself gets one of its own strings.
_PLACE: Final = "\0"
_BACKSLASH: Final = ord("\\")
_JSON_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}([\[{\"0-9tfn-])")
_OBJECT_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}\{\s{0,1000}[\"}]")
_FORM_START: Final = re.compile(rb"[\w.\-%+\[\]]{1,64}=")


def is_json(body: bytes | bytearray, content_type: bytes) -> bool:
    """Whether a body is JSON: by its first character and, unless that begins an object, its Content-Type.

    A body that is said to be an image is JSON only if it begins as an object with a member does: a damaged file may begin with
    any byte.
    """
    kind = content_type.lower()
    if kind.startswith(b"image/"):
        return _OBJECT_START.match(body) is not None
    start = _JSON_START.match(body)
    return start is not None and (start[1] == b"{" or b"json" in kind)


def is_urlencoded(body: bytes | bytearray, content_type: bytes) -> bool:
    """Whether a body is a urlencoded form; ``curl --data-binary`` sends that Content-Type with any file."""
    return b"urlencoded" in content_type.lower() and _FORM_START.match(body) is not None


def parse_json(body: bytes | bytearray) -> dict[str, Any]:
    """The members of a JSON object; a string of more than ``LONG`` characters is an ``EncodedImage``, also in a list.

    Raises:
        Problem: ``bad_request``.
    """
    long: list[memoryview] = []
    rest = _cut_long_strings(body, long)
    try:
        document = json.loads(rest)
    except RecursionError:
        raise Problem("bad_request", f"The JSON is nested too deeply. {HINT}") from None
    except ValueError as error:
        raise Problem("bad_request", f"The JSON cannot be read: {str(error)[:100]}. {HINT}") from None
    if not isinstance(document, dict):
        raise Problem("bad_request", f"The JSON is not an object. {HINT}")
    return {
        name: [_restored(name, one, long) for one in value] if isinstance(value, list) else _restored(name, value, long)
        for name, value in document.items()
    }


def parse_urlencoded(body: bytes | bytearray, field: str, max_fields: int) -> Iterator[tuple[str, str | EncodedImage]]:
    """The fields of a form in order; the values of ``field`` are images.

    Raises:
        Problem: ``too_large`` for more than ``max_fields`` fields.
    """
    text, at, count = memoryview(body), 0, 0
    while at < len(body):
        end = body.find(b"&", at)
        end = len(body) if end < 0 else end
        if count == max_fields:
            raise Problem("too_large", f"The form has more than the {max_fields} fields allowed. Send fewer.")
        count += 1
        middle = body.find(b"=", at, min(end, at + MAX_VALUE))
        middle = min(end, at + MAX_VALUE) if middle < 0 else middle
        name = unquote_plus(bytes(text[at:middle]).decode("utf-8", "replace"))
        value = text[middle + 1 : end]
        if name == field:
            yield name, EncodedImage(name, value, URLENCODED)
        else:
            yield name, unquote_plus(bytes(value[:MAX_VALUE]).decode("utf-8", "replace"))
        at = end + 1


def _cut_long_strings(body: bytes | bytearray, long: list[memoryview]) -> bytes:
    """The body with each long string replaced by a placeholder and appended to ``long``.

    Raises:
        Problem: ``bad_request`` when too much remains, or a string is not terminated.
    """
    rest, at, text = bytearray(), 0, memoryview(body)
    escaped_quotes = 0
    while True:
        start = body.find(b'"', at)
        if (start if start >= 0 else len(body)) - at + len(rest) > MAX_REST:
            raise Problem("bad_request", f"The JSON has more than {MAX_REST:,} bytes beside base64 text. {HINT}")
        if start < 0:
            rest += text[at:]
            return bytes(rest)
        end = body.find(b'"', start + 1)
        while end > 0 and _is_escaped(body, end):
            escaped_quotes += 1
            end = body.find(b'"', end + 1) if escaped_quotes <= MAX_ESCAPED_QUOTES else -1
        if end < 0:
            raise Problem("bad_request", f"The JSON cannot be read: a string does not end. {HINT}")
        if end - start > LONG:
            rest += text[at:start]
            rest += b'"\\u0000%d"' % len(long)
            long.append(text[start + 1 : end])
        else:
            rest += text[at : end + 1]
        at = end + 1


def _is_escaped(body: bytes | bytearray, quote: int) -> bool:
    """Whether a quotation mark is escaped."""
    if body[quote - 1] != _BACKSLASH:
        return False
    before = bytes(memoryview(body)[max(0, quote - 64) : quote])
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _restored(name: str, value: Any, long: list[memoryview]) -> Any:
    """A value of the JSON, with its placeholder replaced by the long string."""
    if isinstance(value, str) and value.startswith(_PLACE) and value[1:].isascii() and value[1:].isdigit():
        place = int(value[1:])
        return EncodedImage(name, long[place], JSON_STRING) if place < len(long) else value
    return value
