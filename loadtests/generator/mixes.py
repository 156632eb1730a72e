"""Mixes of requests: which pictures, to which models, in which form of body, chosen by weight with a seed."""

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from PIL import Image

from loadtests.generator.client import ServiceClient
from loadtests.images import encode, photo
from loadtests.requests import FORM_TYPE, Request, encode_form, labels
from loadtests.samples import Sample, samples

Weights = Mapping[str, float]

# The mix of an ordinary day, by the parts of its pictures in percent.
MIXED: Final[Weights] = {"canvas": 70, "small": 20, "photo": 9, "broken": 1}
KINDS: Final = tuple(MIXED)
FORMS: Final = ("body", "form", "json")
SUFFIXES: Final = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".bmp": "image/bmp"}
SMALL_SIDE: Final = 28
PHOTO_SIDE: Final = 1600
# Pictures of each kind for every model and form.
PICTURES: Final = 10
# The model whose labels the samples have.
DIGITS: Final = "digits"


class MixError(Exception):
    """A mix that cannot be sent; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Weights of the kinds of pictures and of models, the forms of body, and a folder of pictures in place of the kinds.

    ``images`` is the number of pictures in a request: with more than one it is a batch.
    """

    pictures: Weights = field(default_factory=lambda: dict(MIXED))
    models: Weights = field(default_factory=lambda: {DIGITS: 1.0})
    forms: Sequence[str] = FORMS
    folder: Path | None = None
    images: int = 1


def parse_weights(text: str, known: Sequence[str] = ()) -> dict[str, float]:
    """Weights such as ``canvas:7,photo:3``; a name without a number weighs 1.

    Raises:
        MixError: a number that is not above 0, or a name that is not known.
    """
    weights = {}
    for part in text.split(","):
        name, _, number = part.strip().rpartition(":") if ":" in part else (part.strip(), "", "1")
        try:
            weights[name] = float(number)
        except ValueError:
            weights[name] = 0.0
        if not name or not 0 < weights[name] < float("inf"):
            raise MixError(f"{part!r} is no weight: write NAME:NUMBER with a number above 0, such as canvas:7,photo:3")
        if known and name not in known:
            raise MixError(f"{name!r} is unknown: choose from {', '.join(known)}")
    return weights


def parse_pictures(text: str) -> Weights:
    """The pictures of a mix: ``mixed``, or kinds with weights.

    Raises:
        MixError: as ``parse_weights``.
    """
    return MIXED if text == "mixed" else parse_weights(text, KINDS)


class RequestSource:
    """The requests of a mix."""

    def __init__(self, mix: Mix) -> None:
        kinds: Weights = {"file": 1.0} if mix.folder else mix.pictures
        self._groups: list[list[Request]] = []
        self._weights: list[float] = []
        for kind, part in kinds.items():
            pictures = _pictures(kind, mix.folder)
            for model, share in mix.models.items():
                for form in mix.forms if mix.images == 1 else ("batch",):
                    repeated = [_repeat(pictures, number, mix.images) for number in range(len(pictures))]
                    self._groups.append([_request(kind, model, form, group) for group in repeated])
                    self._weights.append(part * share)

    def learn(self, client: ServiceClient) -> None:
        """Send every request once: from then on its response must have the same labels.

        Raises:
            MixError: one was not answered as it must be.
        """
        for group in self._groups:
            group[:] = [learn_labels(client, request) for request in group]

    def requests(self, seed: int) -> Iterator[Request]:
        """An endless sequence of requests by weight, the same for the same seed."""
        random = Random(seed)
        while True:
            (group,) = random.choices(self._groups, self._weights)
            yield random.choice(group)


def learn_labels(client: ServiceClient, request: Request) -> Request:
    """Send a request when there is no load; the returned copy must be answered with the same labels ever after.

    Raises:
        MixError: it was not answered as it must be.
    """
    response = client.send(request)
    if response.status not in request.statuses or (request.good and request.labels is None and not labels(response.body)):
        reason = response.body[-300:].decode("utf-8", "replace")
        raise MixError(f"{request.name} was answered {response.status or 'not at all'} before the load began: {reason}")
    return replace(request, labels=labels(response.body)) if request.good and request.labels is None else request


def _request(kind: str, model: str, form: str, pictures: Sequence[Sample]) -> Request:
    picture, options = pictures[0], {} if model == DIGITS else {"model": model}
    query = "".join(f"?{name}={value}" for name, value in options.items())
    name = f"{kind} to {model}, {form}"
    statuses = frozenset((200,) if kind != "broken" else (415, 422))
    known = (picture.expected,) if kind == "canvas" and model == DIGITS and form != "batch" else None
    expected: dict[str, Any] = {"statuses": statuses, "good": kind != "broken", "labels": known}
    if form == "batch":
        body = encode_form([one.data for one in pictures], "images", options)
        return Request(name, "/classify/batch", body, FORM_TYPE, labels=() if kind == "broken" else None)
    if form == "form":
        return Request(name, "/classify", encode_form([picture.data], options=options), FORM_TYPE, **expected)
    if form == "json":
        content = {"image": base64.b64encode(picture.data).decode(), **options}
        return Request(name, "/classify", json.dumps(content).encode(), "application/json", **expected)
    return Request(name, f"/classify{query}", picture.data, _content_type(picture), **expected)


def _content_type(picture: Sample) -> str:
    return SUFFIXES.get(Path(picture.name).suffix.lower(), "image/png")


def _repeat(pictures: Sequence[Sample], first: int, count: int) -> list[Sample]:
    return [pictures[(first + number) % len(pictures)] for number in range(count)]


def _pictures(kind: str, folder: Path | None) -> list[Sample]:
    """The pictures of a kind; of a folder, all files directly in it or in its folders.

    Raises:
        MixError: the folder has none.
    """
    if folder is not None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise MixError(f"{folder} contains no pictures ({', '.join(SUFFIXES)})")
        return [Sample(path.name, "", path.read_bytes()) for path in paths]
    if kind == "broken":
        whole = samples()[0].data
        return [Sample("truncated.png", "", whole[: len(whole) // 2]), Sample("notes.png", "", b"no picture at all")]
    if kind == "photo":
        return [Sample("photo.jpg", "", photo(PHOTO_SIDE))]
    chosen = samples()[:: len(samples()) // PICTURES]
    return chosen if kind == "canvas" else [Sample(one.name, one.label, _small(one.data)) for one in chosen]


def _small(data: bytes) -> bytes:
    """A drawing as 28x28 grey pixels, dark on light."""
    drawing = Image.open(io.BytesIO(data)).convert("RGBA")
    page = Image.new("RGBA", drawing.size, "white")
    page.alpha_composite(drawing)
    return encode(page.convert("L").resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BOX))
