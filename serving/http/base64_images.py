"""Decodes base64 images in JSON or forms, with or without a ``data:`` URL prefix as ``canvas.toDataURL()`` writes it.

A text is decoded in slices, without a second copy, so that a large one does not block the event loop.
"""

import asyncio
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from serving.backpressure.body_budget import Body, BodyBudget
from serving.errors import Problem
from serving.settings import SMALL_BODY

SLICE: Final = 32_768
MAX_PREFIX: Final = 256

_DATA_URL: Final = re.compile(rb"data:[^,]{0,200},", re.IGNORECASE)
_ADDRESS: Final = re.compile(rb"[a-z][a-z0-9+.-]{1,20}:", re.IGNORECASE)
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="
_INVALID: Final = 0
# A byte of base64 to that of the usual alphabet, everything else to _INVALID.
_TABLE: Final = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(byte, byte) if byte in _ALPHABET else _INVALID for byte in range(256)
)
HINT: Final = "Send the image file as base64, with or without `data:image/png;base64,` before it."


@dataclass(frozen=True, slots=True)
class Encoding:
    """How base64 is embedded in another format: the escapes of its characters, and what a space means."""

    escape: bytes = b""
    longest: int = 0
    replacements: tuple[tuple[bytes, bytes], ...] = ()
    deleted: bytes = b" \t\r\n"
    space_is_plus: bool = False


def _either_case(escape: str, plain: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(
        (form.encode(), plain) for form in dict.fromkeys((escape, escape.lower(), escape.upper().replace("\\U", "\\u")))
    )


PLAIN: Final = Encoding()
FORM_TEXT: Final = Encoding(deleted=b"\t\r\n", space_is_plus=True)
JSON_STRING: Final = Encoding(
    b"\\",
    len("\\u002B"),
    (
        (b"\\/", b"/"),
        (b"\\n", b""),
        (b"\\r", b""),
        (b"\\t", b""),
        *(pair for code, plain in (("2B", b"+"), ("2F", b"/"), ("3D", b"=")) for pair in _either_case(f"\\u00{code}", plain)),
    ),
)
URLENCODED: Final = Encoding(
    b"%",
    len("%2B"),
    tuple(
        pair
        for code, plain in (
            *(("2B", b"+"), ("2F", b"/"), ("3D", b"="), ("2D", b"-"), ("5F", b"_"), ("20", b" "), ("0A", b""), ("0D", b"")),
            *(("3A", b":"), ("3B", b";"), ("2C", b",")),
        )
        for pair in _either_case(f"%{code}", plain)
    ),
    deleted=b"\t\r\n",
    space_is_plus=True,
)


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image as base64 text, in the field ``field``."""

    field: str
    text: bytes | memoryview
    encoding: Encoding = PLAIN


async def decode_images(images: Sequence[EncodedImage], limit: int, budget: BodyBudget) -> list[bytes | memoryview]:
    """The decoded bytes of images, at most ``limit`` in all; many bytes are counted in the budget until they are freed.

    Raises:
        Problem: ``bad_request`` (an address, or no base64), ``too_large``, ``overloaded`` (no budget for the decoded bytes).
    """
    size = sum(len(image.text) for image in images)
    decoded = budget.allocate(min(size * 3 // 4, limit)) if size > SMALL_BODY else bytearray()
    ends = [0]
    for image in images:
        await _decode(image, decoded, limit)
        ends.append(len(decoded))
    source = memoryview(decoded) if isinstance(decoded, Body) else bytes(decoded)
    return [source[start:end] for start, end in pairwise(ends)]


async def _decode(image: EncodedImage, decoded: bytearray, limit: int) -> None:
    """Append the bytes of an image to ``decoded``."""
    text = image.text
    at, carried = _skip_prefix(image)
    pending, last = b"", False
    while not last:
        piece = carried + bytes(text[at : at + SLICE])
        at += SLICE
        last = at >= len(text)
        piece, carried = (piece, b"") if last else _cut_escape(piece, image.encoding)
        pending = _without_padding(pending + _cleaned(piece, image, last=last), image)
        digits = len(pending.rstrip(b"="))
        whole = digits if last else digits - digits % 4
        more, pending = _decoded(pending[:whole], image), pending[whole:]
        if len(decoded) + len(more) > limit:
            raise image_too_large(len(decoded) + len(more), limit, at_least=not last)
        decoded += more
        if not last:
            await asyncio.sleep(0)


def image_too_large(size: int, limit: int, *, at_least: bool = False) -> Problem:
    """The error for an image of ``size`` bytes, or of ``at_least`` so many."""
    known = "at least " if at_least else ""
    return Problem(
        "too_large",
        f"The image has {known}{size:,} bytes; at most {limit:,} are allowed. "
        "Make it smaller, for example at most 1,600 pixels a side, saved as JPEG.",
    )


def _skip_prefix(image: EncodedImage) -> tuple[int, bytes]:
    """Parse a ``data:`` prefix: how much of the text was read for that, and the base64 in it.

    Raises:
        Problem: ``bad_request``.
    """
    head, carried = _cut_escape(bytes(image.text[:MAX_PREFIX]), image.encoding)
    head = _unescaped(head, image.encoding).lstrip(b" \t\r\n")
    if prefix := _DATA_URL.match(head):
        if not prefix[0][:-1].rstrip().lower().endswith(b";base64"):
            raise Problem("bad_request", f"`{image.field}` is a data: URL without `;base64`. {HINT}")
        head = head[prefix.end() :]
    elif address := _ADDRESS.match(head):
        scheme = address[0].decode("ascii")
        raise Problem("bad_request", f"`{image.field}` is an address, {scheme}... Addresses are never fetched. {HINT}")
    return MAX_PREFIX, head + carried


def _cut_escape(piece: bytes, encoding: Encoding) -> tuple[bytes, bytes]:
    """Split off an incomplete escape at the end of a piece: the piece before it, and the incomplete escape."""
    if not encoding.escape:
        return piece, b""
    at = piece.rfind(encoding.escape, max(0, len(piece) - encoding.longest + 1))
    return (piece, b"") if at < 0 else (piece[:at], piece[at:])


def _unescaped(piece: bytes, encoding: Encoding) -> bytes:
    for escape, plain in encoding.replacements:
        if encoding.escape not in piece:
            break
        piece = piece.replace(escape, plain)
    return piece


def _cleaned(piece: bytes, image: EncodedImage, *, last: bool) -> bytes:
    """A piece of base64 in the standard alphabet, without white space.

    Raises:
        Problem: ``bad_request``, naming the first invalid byte.
    """
    encoding = image.encoding
    piece = _unescaped(piece, encoding)
    if encoding.space_is_plus:
        piece = (piece.rstrip(b" \t\r\n") if last else piece).replace(b" ", b"+")
    cleaned = piece.translate(_TABLE, encoding.deleted)
    if _INVALID in cleaned:
        wrong = next(byte for byte in piece if byte not in _ALPHABET and byte not in encoding.deleted)
        shown = repr(chr(wrong)) if 32 <= wrong < 127 else f"the byte {wrong:#04x}"
        raise Problem("bad_request", f"`{image.field}` is not base64: it has {shown} in it. {HINT}")
    return cleaned


def _without_padding(cleaned: bytes, image: EncodedImage) -> bytes:
    """Cleaned base64 with at most one ``=`` at its end.

    Raises:
        Problem: ``bad_request`` when something follows a ``=``.
    """
    end = cleaned.find(b"=")
    if end < 0:
        return cleaned
    if cleaned[end:].strip(b"="):
        raise Problem("bad_request", f"`{image.field}` is not base64: it has `=` before its end. {HINT}")
    return cleaned[: end + 1]


def _decoded(digits: bytes, image: EncodedImage) -> bytes:
    """The bytes of cleaned base64 without its padding.

    Raises:
        Problem: ``bad_request``.
    """
    if len(digits) % 4 == 1:
        raise Problem("bad_request", f"`{image.field}` is not base64: it is cut off. {HINT}")
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
