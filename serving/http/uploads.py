"""Reads the images and options of a request, in any of the supported encodings, within the limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final, NamedTuple

from starlette.requests import Request

from serving.backpressure.body_budget import Body, BodyBudget
from serving.errors import Problem
from serving.http.base64_images import FORM_TEXT, EncodedImage, decode_images, image_too_large
from serving.http.body_reader import BodyHeaders, BodyReader
from serving.http.multipart import Part, is_form, parse_form
from serving.http.schemas import ExplainOptions, Options, parse_options
from serving.http.text_bodies import HINT, MAX_VALUE, is_json, is_urlencoded, parse_json, parse_urlencoded
from serving.inference.cancellation import CancellationToken
from serving.settings import Settings

FORMATS: Final = "PNG, JPEG, WebP, BMP or GIF"
# Room for part headers, boundaries and option fields around the images of a body.
OVERHEAD: Final = 65_536
MAX_FIELDS: Final = 16
MAX_NAMES: Final = 10
# Form fields that are never the image, even if a client sends them as files.
OPTION_FIELDS: Final = frozenset({*Options.model_fields, *ExplainOptions.model_fields, "key"})
TEXT_TYPES: Final = (b"application/json", b"application/x-www-form-urlencoded", b"text/")
SHOWN: Final = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number"}


Image = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Upload:
    """The encoded images of a request, its options, when it began (``perf_counter``), its deadline, and all other fields.

    A memoryview is a slice of the request's body, which stays in memory as long as any slice does.
    """

    images: list[Image]
    options: Options
    started: float
    token: CancellationToken
    fields: Mapping[str, Any] = field(default_factory=dict)


class _Fields(NamedTuple):
    """The fields of a body: the images in order, some still base64, all other fields, and the names of all."""

    images: list[Image | EncodedImage]
    others: dict[str, Any]
    names: list[str]


class UploadReader:
    """Reads images from requests: as multipart files, as the body itself, or as base64 in JSON or a form."""

    def __init__(self, settings: Settings, budget: BodyBudget) -> None:
        self.bodies = BodyReader(budget, settings.body_seconds)
        self._settings = settings
        self._budget = budget

    async def image(self, request: Request) -> Upload:
        """Read one image, in the field ``image`` or the only file of the form, and the options.

        Raises:
            Problem: ``bad_request``, ``slow_body``, ``too_large`` or ``overloaded``.
            ClientDisconnect: the connection closed before the body was complete.
        """
        started = perf_counter()
        headers = BodyHeaders.of(request.scope)
        limit = self._settings.max_image_bytes

        def too_large(size: int, _limit: int, at_least: bool) -> Problem:
            encoded = headers.content_type.lower().startswith(TEXT_TYPES[:2])
            return image_too_large(size * 3 // 4 if encoded else size, limit, at_least=at_least)

        fields = await self._fields(request, headers, "image", 1, limit, too_large)
        if not fields.images:
            raise Problem("bad_request", f"There is no image. {_sent(fields)} {_ask('image')}")
        if len(fields.images) > 1:
            raise Problem("bad_request", _too_many(fields))
        (image,) = fields.images
        if isinstance(image, EncodedImage):
            (image,) = await self._decoded([image], limit)
        if not image:
            raise Problem("bad_request", f"The image is empty. {_ask('image')}")
        if len(image) > limit:
            raise image_too_large(len(image), limit)
        options = parse_options(fields.others, self._settings.default_model)
        return Upload([image], options, started, self._token(started, request), fields.others)

    async def batch(self, request: Request) -> Upload:
        """Read many images, in fields ``images`` or, without those, all files, and the options.

        Raises:
            Problem: ``bad_request``, ``slow_body``, ``overloaded``, ``too_large`` (more bytes or images than a request has).
            ClientDisconnect: the connection closed before the body was complete.
        """
        started = perf_counter()
        headers = BodyHeaders.of(request.scope)
        most, limit = min(self._settings.max_images, self._settings.max_queue), self._settings.max_batch_bytes
        fields = await self._fields(request, headers, "images", most, limit, _batch_too_large)
        if not fields.images:
            raise Problem("bad_request", f"There is no image. {_sent(fields)} {_ask('images')}")
        if len(fields.images) > most:
            raise Problem("too_large", f"There are more than the {most} images allowed. Send fewer at a time.")
        options = parse_options(fields.others, self._settings.default_model)
        images = await self._decoded(fields.images, limit)
        return Upload(images, options, started, self._token(started, request))

    def _token(self, started: float, request: Request) -> CancellationToken:
        return CancellationToken(started + self._settings.deadline_seconds, request.is_disconnected)

    async def _fields(
        self,
        request: Request,
        headers: BodyHeaders,
        name: str,
        most: int,
        limit: int,
        too_large: Callable[[int, int, bool], Problem],
    ) -> _Fields:
        """The fields of the body and the query of a request, of about ``most`` images of ``limit`` bytes in all."""
        kind = headers.content_type
        query: dict[str, Any] = dict(request.query_params) if request.scope["query_string"] else {}
        if is_form(kind):
            body = await self.bodies.read(request, headers, limit + OVERHEAD, too_large)
            return _multipart(parse_form(body, kind, most + MAX_FIELDS), name, query)
        if kind.lower().startswith(TEXT_TYPES):
            limit = limit * 3 // 2 + OVERHEAD  # base64 takes four thirds, and with escapes or line breaks a little more
        body = await self.bodies.read(request, headers, limit, too_large)
        if is_json(body, kind):
            return _json(parse_json(body), name, query)
        if is_urlencoded(body, kind):
            return _urlencoded(body, name, most, query)
        if name == "images":
            raise Problem("bad_request", f"There is no form. {_ask(name)}")
        return _Fields([memoryview(body) if isinstance(body, Body) else body] if body else [], query, [])

    async def _decoded(self, images: list[Image | EncodedImage], limit: int) -> list[Image]:
        """The images with base64 decoded, of ``limit`` bytes in all."""
        encoded = [image for image in images if isinstance(image, EncodedImage)]
        decoded = iter(await decode_images(encoded, limit, self._budget) if encoded else [])
        return [next(decoded) if isinstance(image, EncodedImage) else image for image in images]


def _multipart(parts: list[Part], name: str, given: dict[str, Any]) -> _Fields:
    # A file input in which nothing was chosen sends an empty file; in a batch it fails alone.
    there = parts if name == "images" else [part for part in parts if len(part.data)]
    chosen = [part for part in there if part.name == name]
    if not chosen:
        chosen = [part for part in there if part.is_file and part.name not in OPTION_FIELDS]
    images = [part.data if part.is_file else EncodedImage(part.name, part.data, FORM_TEXT) for part in chosen]
    for part in parts:
        if part.name in OPTION_FIELDS or not (part.is_file or part.name == name):
            given[part.name] = bytes(part.data[:MAX_VALUE]).decode("utf-8", "replace")
    return _Fields(images, given, [part.name for part in parts])


def _json(document: dict[str, Any], name: str, given: dict[str, Any]) -> _Fields:
    """The fields of JSON.

    Raises:
        Problem: ``bad_request``, where the image is anything but text.
    """
    value = document.get(name)
    values = value if name == "images" and isinstance(value, list) else [] if value in (None, "") else [value]
    images: list[Image | EncodedImage] = []
    for one in values:
        if isinstance(one, str):
            one = EncodedImage(name, one.encode("utf-8", "replace"))
        if not isinstance(one, EncodedImage):
            raise Problem("bad_request", f"`{name}` holds {SHOWN.get(type(one), 'null')} where base64 text belongs. {HINT}")
        images.append(one)
    given |= {key: value for key, value in document.items() if key != name and value is not None}
    return _Fields(images, given, list(document))


def _urlencoded(body: bytes | Body, name: str, most: int, given: dict[str, Any]) -> _Fields:
    images: list[Image | EncodedImage] = []
    names = []
    for key, value in parse_urlencoded(body, name, most + MAX_FIELDS):
        names.append(key)
        if isinstance(value, str):
            given[key] = value
        elif len(value.text):
            images.append(value)
    return _Fields(images, given, names)


def _sent(fields: _Fields) -> str:
    """What was sent instead of an image."""
    if not fields.names:
        return "The body is empty."
    return f"The fields that came are {_listed(fields.names)}."


def _ask(name: str) -> str:
    if name == "images":
        return 'Send each as a file in a multipart field `images`, or base64 as JSON: {"images": ["<base64>"]}.'
    return 'Send one as a file in the multipart field `image`, as the body itself, or base64 as JSON: {"image": "<base64>"}.'


def _too_many(fields: _Fields) -> str:
    count = len(fields.images)
    if "image" in fields.names:
        return f"There are {count} images. Send one, or use /classify/batch."
    return f"There are {count} files, in the fields {_listed(fields.names)}; call the field of the image `image`."


def _listed(names: list[str]) -> str:
    shown = [f"`{name[:40]}`" if name[:40].isprintable() else repr(name[:40]) for name in dict.fromkeys(names)]
    return ", ".join(shown[:MAX_NAMES]) + (", ..." if len(shown) > MAX_NAMES else "")


def _batch_too_large(size: int, limit: int, at_least: bool) -> Problem:
    known = "at least " if at_least else ""
    return Problem(
        "too_large", f"The request has {known}{size:,} bytes; at most {limit:,} are allowed. Send fewer images at a time."
    )
