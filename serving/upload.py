"""An HTTP request to checked images and their options; limits hold while the body arrives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bentoml import IODescriptor
from pydantic import Field, create_model
from starlette.requests import Request

from serving.errors import Problem
from serving.multipart import is_form, parse_form
from serving.schemas import Device, Options, parse_options
from serving.settings import Settings

if TYPE_CHECKING:
    from _bentoml_impl.serde import Serde

# Room for part headers, boundaries and option fields around the images of a multipart body.
MULTIPART_OVERHEAD: Final = 65_536
MAX_FIELDS: Final = 16
# How to give up each body that this worker is reading.
_arriving: Final[set[Callable[[Problem], None]]] = set()


@dataclass(frozen=True, slots=True)
class Upload:
    """Encoded images as they were sent, how to classify them, since when (``perf_counter``), is the client still there, and all
    that was given as text beside them."""

    images: list[bytes]
    options: Options
    started: float
    gone: Callable[[], Awaitable[bool]]
    given: Mapping[str, str] = field(default_factory=dict)


async def read_image(request: Request, settings: Settings) -> Upload:
    """Read one image (multipart field ``image``, or the body itself) and the options beside it.

    Raises:
        Problem: ``bad_request``, ``slow_body`` or ``too_large``.
        ClientDisconnect: the connection closed before the body was complete.
    """
    started = perf_counter()
    kind = _content_type(request)
    given = _query(request)
    if is_form(kind):
        body = await read_body(request, settings.max_image_bytes + MULTIPART_OVERHEAD, settings)
        images, fields = _form(body, kind, "image", 1)
        given |= fields
    else:
        images = [bytes(await read_body(request, settings.max_image_bytes, settings))]
    if not images or not images[0]:
        raise Problem("bad_request", "There is no image. Send one as multipart field `image` or as the request body.")
    if len(images) > 1:
        raise Problem("bad_request", f"There are {len(images)} images. Send one, or use /classify/batch.")
    if len(images[0]) > settings.max_image_bytes:
        raise too_large(settings.max_image_bytes)
    return Upload(images, parse_options(given, settings.default_model), started, request.is_disconnected, given)


async def read_batch(request: Request, settings: Settings) -> Upload:
    """Read the images of a multipart body (field ``images``, repeated) and the options beside them.

    Raises:
        Problem: ``bad_request``, ``slow_body`` or ``too_large`` (more bytes or images than a request may have).
        ClientDisconnect: the connection closed before the body was complete.
    """
    started = perf_counter()
    kind = _content_type(request)
    if not is_form(kind):
        raise Problem("bad_request", "Send the images as multipart/form-data, each in a field `images`.")
    most = min(settings.max_images, settings.max_queue)
    body = await read_body(request, settings.max_batch_bytes, settings)
    images, fields = _form(body, kind, "images", most)
    if not images:
        raise Problem("bad_request", "There is no image. Send each as a file in a multipart field `images`.")
    if len(images) > most:
        raise Problem("too_large", f"There are more than the {most} images allowed. Send fewer at a time.")
    options = parse_options(_query(request) | fields, settings.default_model)
    return Upload(images, options, started, request.is_disconnected)


async def read_body(request: Request, limit: int, settings: Settings) -> bytearray:
    """The request's body, of at most ``limit`` bytes, refused as soon as the limit is known to be passed."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large(limit)
    body = bytearray()
    task, refusal = asyncio.current_task(), None

    def give_up(problem: Problem) -> None:
        nonlocal refusal
        refusal = problem
        assert task is not None
        task.cancel()

    late = Problem("slow_body", f"The body did not arrive within {settings.body_seconds:g} s.")
    timer = asyncio.get_running_loop().call_later(settings.body_seconds, give_up, late)
    _arriving.add(give_up)
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large(limit)
    except asyncio.CancelledError as error:
        if refusal is None:
            raise
        if task is not None and hasattr(task, "uncancel"):  # Python 3.11 and later count cancellations
            task.uncancel()
        raise refusal from error
    finally:
        timer.cancel()
        _arriving.discard(give_up)
    return body


def give_up_arriving() -> None:
    """Refuse the requests whose bodies have not arrived yet: the worker ends."""
    for give_up in list(_arriving):
        give_up(Problem("unavailable", "The service is ending. Send it again."))


def too_large(limit: int) -> Problem:
    """The problem of more than ``limit`` bytes."""
    return Problem("too_large", f"That is larger than the {limit:,} bytes allowed. Send less.")


def _content_type(request: Request) -> bytes:
    return next((value for name, value in request.scope["headers"] if name == b"content-type"), b"")


def _query(request: Request) -> dict[str, str]:
    return dict(request.query_params) if request.scope["query_string"] else {}


def _form(body: bytearray, content_type: bytes, field: str, most: int) -> tuple[list[bytes], dict[str, str]]:
    """The files of ``field`` (about ``most`` are expected) and the text fields of a multipart body."""
    images: list[bytes] = []
    fields: dict[str, str] = {}
    for part in parse_form(body, content_type, most + MAX_FIELDS):
        if part.name != field:
            fields[part.name] = part.data.decode("utf-8", "replace")
        elif not part.is_file:
            raise Problem("bad_request", f"`{field}` is text. Send a picture's bytes as a file; addresses are never fetched.")
        else:
            images.append(part.data)
    return images, fields


class ImageInput(IODescriptor):
    """The input of /classify and /explain; it reads the request itself, so that no address is ever fetched."""

    image: Path = Field(description="One PNG, JPEG or WebP image.")
    model: str = Field("", description=Options.model_fields["model"].description)
    top_k: int = Field(3, ge=1, le=1000, description=Options.model_fields["top_k"].description)
    device: Device = Field("auto", description=Options.model_fields["device"].description)

    @classmethod
    async def from_http_request(cls, request: Request, serde: "Serde") -> "ImageInput":  # noqa: ARG003 - BentoML's signature
        """Hand the request on unread: the route reads it within the limits and answers faults as problems."""
        return cls.model_construct(image=request)


class BatchInput(IODescriptor):
    """The input of /classify/batch, read like ``ImageInput``."""

    images: list[Path] = Field(description="PNG, JPEG or WebP images.")
    model: str = Field("", description=Options.model_fields["model"].description)
    top_k: int = Field(3, ge=1, le=1000, description=Options.model_fields["top_k"].description)
    device: Device = Field("auto", description=Options.model_fields["device"].description)

    @classmethod
    async def from_http_request(cls, request: Request, serde: "Serde") -> "BatchInput":  # noqa: ARG003 - BentoML's signature
        """As for ``ImageInput``."""
        return cls.model_construct(images=request)


def with_default_model(form: type[IODescriptor], settings: Settings) -> type[IODescriptor]:
    """An input whose description names the model that is asked when a request names none."""
    field = Field(settings.default_model, description=Options.model_fields["model"].description)
    return create_model(form.__name__, __base__=form, __doc__=form.__doc__, model=(str, field))
