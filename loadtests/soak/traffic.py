"""Generates the requests of a soak test: most are good, the others malformed, too large, slow or aborted."""

import io
from collections import deque
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final

from PIL import Image

from loadtests.fuzz.requests import generate
from loadtests.images import canvas, encode
from loadtests.requests import Request, Response, SendMode, form_request
from loadtests.samples import samples

FORMATS: Final = ("PNG", "JPEG", "WEBP")
BAD_SHARE: Final = 0.2
BAD_IMAGES: Final = 3000
BATCH: Final = 6
# The most entries in the gallery, and how many there must be before the newest is read: it must not be deleted meanwhile.
MAX_SAVED: Final = 100
MIN_SAVED: Final = 20
# Announced body sizes, and how much of one is sent.
TOO_LARGE: Final = 20_000_000
INCOMPLETE: Final = 500_000
PART: Final = 20_000


class Traffic:
    """An endless mix of requests, the same for the same seed except for the identifiers of gallery entries."""

    def __init__(self, good: list[Request], seed: int = 1, bad: int = BAD_IMAGES) -> None:
        self._rng = Random(seed)
        self._good = good
        self._bad = list(bad_images(seed, bad))
        self._saved: deque[str] = deque()

    def requests(self, slow: bool = True) -> Iterator[Request]:
        """Yield the mix; without slow requests where a client would wait for them."""
        while True:
            request = self._bad_request() if self._rng.random() < BAD_SHARE else self._good_request()
            if slow or request.mode is not SendMode.SLOW:
                yield request

    def images(self) -> Iterator[Request]:
        """Yield all images once, good and bad."""
        yield from self._good
        yield from self._bad

    def learn(self, request: Request, response: Response) -> None:
        """Remember a saved gallery entry, so that it can be read and deleted."""
        if request.name == "save" and response.status == 201:
            self._saved.append(response.headers[b"location"].decode())

    def _good_request(self) -> Request:
        chance = self._rng.random()
        if chance < 0.90:
            return self._rng.choice(self._good)
        if chance < 0.96:
            return self._gallery_request()
        path = self._rng.choice(("/models", "/models", "/livez", "/readyz", "/livez", "/readyz", "/metrics"))
        return Request(path[1:], path, method="GET")

    def _gallery_request(self) -> Request:
        """Save an image, read one, list some, or delete one: as many are deleted as are saved."""
        chance = self._rng.random()
        if self._saved and (chance < 0.3 or len(self._saved) >= MAX_SAVED):
            return Request("delete", self._saved.popleft(), method="DELETE", statuses=frozenset((204,)))
        if chance < 0.6:
            return form_request("save", [canvas()], "/gallery", statuses=frozenset((201,)))
        if len(self._saved) > MIN_SAVED and chance < 0.8:
            return Request("saved image", f"{self._saved[-1]}/image", method="GET")
        return Request("list", "/gallery?limit=5", method="GET")

    def _bad_request(self) -> Request:
        chance = self._rng.random()
        if chance < 0.92:
            return self._rng.choice(self._bad)
        return next(request for below, request in UNUSUAL if chance < below)


def _partial(name: str, size: int, status: int, mode: SendMode) -> Request:
    """A request that announces a body of ``size`` bytes and has ``PART``."""
    body, statuses = bytes(PART), frozenset((status,))
    return Request(name, "/classify", body, "image/png", content_length=size, statuses=statuses, good=False, mode=mode)


# Bad requests that hold no bad image: a random number below the first of these numbers selects one.
UNUSUAL: Final = (
    (0.945, _partial("aborted", INCOMPLETE, 200, SendMode.HANG_UP)),
    (0.97, Request("response not awaited", "/classify", canvas(), "image/png", good=False, mode=SendMode.HANG_UP)),
    (0.995, _partial("too large", TOO_LARGE, 413, SendMode.OWN_CONNECTION)),
    (1.0, _partial("slow", INCOMPLETE, 408, SendMode.SLOW)),
)


def good_images(models: list[str]) -> list[Request]:
    """Make requests with images in three formats, as body and as form, for every model, and a batch and an explanation.

    ``digits`` gets as many as all others together.
    """
    found = []
    for model in models:
        for number, image in enumerate(_images(8 if model == "digits" else 2)):
            content_type = f"image/{FORMATS[number % len(FORMATS)].lower()}"
            found.append(Request(f"body to {model}", f"/classify?model={model}", image, content_type))
            found.append(form_request(f"form to {model}", [image], options={"model": model, "top_k": "2"}))
    found.append(form_request("batch", _images(BATCH // 3), "/classify/batch", "images"))
    return [*found, Request("explain", "/explain", canvas(), "image/png")]


def bad_images(seed: int, count: int) -> Iterator[Request]:
    """Yield ``count`` bad requests of the fuzzer that do not go to the gallery."""
    requests = generate(2 * count, seed)
    return islice((one for one in requests if not one.good and not one.name.startswith("/gallery")), count)


def _images(count: int) -> list[bytes]:
    """Encode ``count`` samples in each of the formats; on white where a format has no transparency."""
    found = []
    for sample in samples()[:: len(samples()) // count][:count]:
        drawing = Image.open(io.BytesIO(sample.data)).convert("RGBA")
        page = Image.new("RGBA", drawing.size, "white")
        page.alpha_composite(drawing)
        found += [encode(drawing if format == "PNG" else page.convert("RGB"), format) for format in FORMATS]
    return found
