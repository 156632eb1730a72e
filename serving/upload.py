"""An HTTP request to one checked image and its options; limits hold while the body arrives."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
from bentoml import IODescriptor
from pydantic import Field
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from serving.errors import Problem
from serving.schemas import DEFAULT_MODEL, Device, Options, parse_options
from serving.settings import Settings

if TYPE_CHECKING:
    from _bentoml_impl.serde import Serde

# Room for part headers, boundaries and option fields around the image of a multipart body.
MULTIPART_OVERHEAD: Final = 65_536
MAX_PARTS: Final = 16


@dataclass(slots=True)
class Part:
    """One part of a multipart body."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)

    def disposition(self) -> tuple[str, bool]:
        """The field's name and whether it is a file (has a filename or a content type of its own)."""
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        is_file = b"filename" in options or b"content-type" in self.headers
        return options.get(b"name", b"").decode("utf-8", "replace"), is_file


@dataclass(frozen=True, slots=True)
class Upload:
    """One encoded image as it was sent, and how to classify it."""

    data: bytes
    options: Options


async def read_upload(request: Request, settings: Settings) -> Upload:
    """Read one image (multipart field ``image``, or the body itself) and the options beside it.

    Raises:
        Problem: ``bad_request``, ``slow_body``, ``too_large`` or ``unsupported_media``.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type", ""))
    given = dict(request.query_params)
    if kind == b"multipart/form-data":
        body = await read_body(request, settings.max_image_bytes + MULTIPART_OVERHEAD, settings)
        data, fields = _form(body, parameters.get(b"boundary", b""))
        given |= fields
    else:
        data = bytes(await read_body(request, settings.max_image_bytes, settings))
    if not data:
        raise Problem("bad_request", "There is no image. Send one as multipart field `image` or as the request body.")
    if len(data) > settings.max_image_bytes:
        raise _too_large(settings.max_image_bytes)
    return Upload(data, parse_options(given))


async def read_body(request: Request, limit: int, settings: Settings) -> bytearray:
    """The request's body, of at most ``limit`` bytes, refused as soon as the limit is known to be passed."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(settings.max_image_bytes)
    body = bytearray()
    try:
        with anyio.fail_after(settings.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(settings.max_image_bytes)
    except TimeoutError as error:
        raise Problem("slow_body", f"The body did not arrive within {settings.body_seconds:g} s.") from error
    except ClientDisconnect as error:
        raise Problem("bad_request", "The connection closed before the body was complete.") from error
    return body


def _form(body: bytearray, boundary: bytes) -> tuple[bytes, dict[str, str]]:
    """The one image and the text fields of a multipart body."""
    images: list[bytes] = []
    fields: dict[str, str] = {}
    for part in parse_multipart(body, boundary):
        name, is_file = part.disposition()
        if name != "image":
            fields[name] = part.data.decode("utf-8", "replace")
        elif not is_file:
            raise Problem("bad_request", "`image` is text. Send the picture's bytes as a file; addresses are never fetched.")
        else:
            images.append(bytes(part.data))
    if len(images) > 1:
        raise Problem("bad_request", f"There are {len(images)} images. Send one, or use /classify/batch.")
    return images[0] if images else b"", fields


def parse_multipart(body: bytearray, boundary: bytes) -> list[Part]:
    """The parts of a multipart/form-data body.

    Raises:
        Problem: ``bad_request`` when it is broken, cut off, or has more than ``MAX_PARTS`` parts.
    """
    if not boundary:
        raise Problem("bad_request", "The Content-Type names no multipart boundary.")
    parts: list[Part] = []
    name, value = bytearray(), bytearray()
    complete = False

    def begin() -> None:
        if len(parts) == MAX_PARTS:
            raise Problem("bad_request", f"The multipart body has more than {MAX_PARTS} parts.")
        parts.append(Part())

    def end_header() -> None:
        parts[-1].headers[bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    def end() -> None:
        nonlocal complete
        complete = True

    def collect(target: bytearray) -> Any:
        def take(data: bytes, start: int, stop: int) -> None:
            target.extend(data[start:stop])

        return take

    def take_data(data: bytes, start: int, stop: int) -> None:
        parts[-1].data.extend(data[start:stop])

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": begin,
                "on_part_data": take_data,
                "on_header_field": collect(name),
                "on_header_value": collect(value),
                "on_header_end": end_header,
                "on_end": end,
            },
        )
        parser.write(bytes(body))
        parser.finalize()
    except FormParserError as error:
        raise Problem("bad_request", f"The multipart body is broken: {error}.") from error
    if not complete:
        raise Problem("bad_request", "The multipart body is cut off: its closing boundary is missing.")
    return parts


def _too_large(limit: int) -> Problem:
    return Problem("too_large", f"The image is larger than the {limit:,} bytes allowed. Send a smaller one.")


class ImageInput(IODescriptor):
    """The input of /classify and /explain; it reads the request itself, so that no address is ever fetched."""

    image: Path = Field(description="One PNG, JPEG or WebP image.")
    model: str = Field(DEFAULT_MODEL, description=Options.model_fields["model"].description)
    top_k: int = Field(3, ge=1, le=1000, description=Options.model_fields["top_k"].description)
    device: Device = Field("auto", description=Options.model_fields["device"].description)

    @classmethod
    async def from_http_request(cls, request: Request, serde: "Serde") -> "ImageInput":  # noqa: ARG003 - BentoML's signature
        """Hand the request on unread: the route reads it within the limits and answers faults as problems."""
        return cls.model_construct(image=request)
