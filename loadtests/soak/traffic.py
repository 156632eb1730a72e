"""Generates the requests of a soak test: most are good, the others malformed, too large, slow or aborted."""

import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final

from PIL import Image

from loadtests.fuzz.requests import generate
from loadtests.http_client import FORM_TYPE, Request, SendMode, encode_form, encode_request
from loadtests.images import canvas, encode
from loadtests.samples import samples

LOCATION: Final = re.compile(rb"\r\nlocation: (/gallery/[0-9a-f-]+)\r\n", re.IGNORECASE)
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

    def __init__(self, host: str, good: list[Request], seed: int = 1, bad: int = BAD_IMAGES) -> None:
        self._rng = Random(seed)
        self._host = host
        self._good = good
        self._bad = list(bad_images(host, seed, bad))
        self._saved: deque[bytes] = deque()

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

    def learn(self, request: Request, content: bytes) -> None:
        """Remember a saved gallery entry, so that it can be read and deleted."""
        if request.name == "save" and (found := LOCATION.search(content)):
            self._saved.append(found[1])

    def _good_request(self) -> Request:
        chance = self._rng.random()
        if chance < 0.90:
            return self._rng.choice(self._good)
        if chance < 0.96:
            return self._gallery_request()
        path = self._rng.choice(("/models", "/models", "/livez", "/readyz", "/livez", "/readyz", "/metrics"))
        return self._request(path[1:], "GET", path)

    def _gallery_request(self) -> Request:
        """Save an image, read one, list some, or delete one: as many are deleted as are saved."""
        chance = self._rng.random()
        if self._saved and (chance < 0.3 or len(self._saved) >= MAX_SAVED):
            return self._request("delete", "DELETE", self._saved.popleft().decode(), status=204)
        if chance < 0.6:
            return self._request("save", "POST", "/gallery", encode_form([canvas()]), status=201)
        if len(self._saved) > MIN_SAVED and chance < 0.8:
            return self._request("saved image", "GET", f"{self._saved[-1].decode()}/image")
        return self._request("list", "GET", "/gallery?limit=5")

    def _request(self, name: str, method: str, target: str, body: bytes = b"", status: int = 200) -> Request:
        content = encode_request(self._host, method, target, body, FORM_TYPE if body else "")
        return Request(name, content, frozenset((status,)))

    def _bad_request(self) -> Request:
        chance = self._rng.random()
        if chance < 0.92:
            return self._rng.choice(self._bad)
        if chance < 0.945:
            return Request("aborted", self._partial(INCOMPLETE), good=False, mode=SendMode.HANG_UP)
        if chance < 0.97:
            whole = encode_request(self._host, "POST", "/classify", canvas(), "image/png")
            return Request("response not awaited", whole, good=False, mode=SendMode.HANG_UP)
        if chance < 0.995:
            return Request("too large", self._partial(TOO_LARGE), frozenset((413,)), False, SendMode.OWN_CONNECTION)
        return Request("slow", self._partial(INCOMPLETE), frozenset((408,)), False, SendMode.SLOW)

    def _partial(self, size: int) -> bytes:
        """A request that announces a body of ``size`` bytes and has ``PART``."""
        return encode_request(self._host, "POST", "/classify", bytes(PART), "image/png", content_length=size)


def good_images(host: str, models: list[str]) -> list[Request]:
    """Make requests with images in three formats, as body and as form, for every model, and a batch and an explanation.

    ``digits`` gets as many as all others together.
    """
    found = []
    for model in models:
        for number, image in enumerate(_images(8 if model == "digits" else 2)):
            content_type = f"image/{FORMATS[number % len(FORMATS)].lower()}"
            found.append((f"body to {model}", f"/classify?model={model}", image, content_type))
            form = encode_form([image], options={"model": model, "top_k": "2"})
            found.append((f"form to {model}", "/classify", form, FORM_TYPE))
    found.append(("batch", "/classify/batch", encode_form(_images(BATCH // 3), "images"), FORM_TYPE))
    found.append(("explain", "/explain", canvas(), "image/png"))
    return [Request(name, encode_request(host, "POST", target, body, kind)) for name, target, body, kind in found]


def bad_images(host: str, seed: int, count: int) -> Iterator[Request]:
    """Yield ``count`` bad requests of the fuzzer that do not go to the gallery."""
    requests = generate(host, 2 * count, seed)
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
