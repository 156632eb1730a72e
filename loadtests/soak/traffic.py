"""The requests of a soak: most of them good, of every route and format, the others broken, too large, slow or given up."""

import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from random import Random
from typing import Final

from PIL import Image

from loadtests.bench.pictures import CONTENT_TYPE, canvas, form
from loadtests.fuzz.attack import ALLOWED, shots
from loadtests.lines import wire
from loadtests.samples import samples

# A label at the top of an answer; those in `top` do not follow a version.
LABEL: Final = re.compile(rb'"version":"[^"]*","label":"[^"]*"')
LOCATION: Final = re.compile(rb"\r\nlocation: (/gallery/[0-9a-f-]+)\r\n", re.IGNORECASE)
FORMATS: Final = ("PNG", "JPEG", "WEBP")
BAD_SHARE: Final = 0.2
BAD_PICTURES: Final = 3000
BATCH: Final = 6
# So many entries are in the gallery at most; the youngest of some is looked at, which will not be deleted before the answer.
MOST_KEPT: Final = 100
SOME: Final = 20
READ: Final = 200
KEPT: Final = 201
# Announced, and how much of it comes before the sender gives up or slows down.
TOO_LARGE: Final = 20_000_000
HALF: Final = 20_000


class Manner(Enum):
    """How a request is sent: in full, awaiting its answer; in part, and hung up; in full, and hung up; byte after byte."""

    PLAIN = "plain"
    PART = "part"
    ABORTED = "aborted"
    UNHEARD = "unheard"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request as it goes over the wire, and what may be answered to it.

    ``said`` are the labels it was answered with when nothing else was asked.
    """

    name: str
    wire: bytes
    statuses: frozenset[int]
    good: bool = True
    manner: Manner = Manner.PLAIN
    said: tuple[bytes, ...] | None = None


def labels(content: bytes) -> tuple[bytes, ...]:
    """The labels an answer gives, without the shares of other classes."""
    return tuple(LABEL.findall(content))


class Traffic:
    """An endless mix of visits, the same for the same seed but for what the gallery's entries are called."""

    def __init__(self, host: str, readings: list[Visit], seed: int = 1, bad: int = BAD_PICTURES) -> None:
        self._hand = Random(seed)
        self._host = host
        self._readings = readings
        self._bad = list(bad_pictures(host, seed, bad))
        self._kept: deque[bytes] = deque()
        self._keep = form([canvas()])

    def visits(self, slow: bool = True) -> Iterator[Visit]:
        """The mix, without the slow ones where they would be waited for."""
        while True:
            visit = self._bad_visit() if self._hand.random() < BAD_SHARE else self._good_visit()
            if slow or visit.manner is not Manner.SLOW:
                yield visit

    def pictures(self) -> Iterator[Visit]:
        """All pictures once, the good and the bad."""
        yield from self._readings
        yield from self._bad

    def learn(self, visit: Visit, content: bytes) -> None:
        """Remember what was kept, so that it can be looked at and deleted."""
        if visit.name == "keep" and (found := LOCATION.search(content)):
            self._kept.append(found[1])

    def _good_visit(self) -> Visit:
        chance = self._hand.random()
        if chance < 0.90:
            return self._hand.choice(self._readings)
        if chance < 0.96:
            return self._gallery_visit()
        path = self._hand.choice(("/models", "/models", "/livez", "/readyz", "/livez", "/readyz", "/metrics"))
        return Visit(path[1:], wire(self._host, "GET", path), frozenset((READ,)))

    def _gallery_visit(self) -> Visit:
        """Keep a picture, look at one, list some, delete one: as many are deleted as are kept."""
        chance = self._hand.random()
        if self._kept and (chance < 0.3 or len(self._kept) >= MOST_KEPT):
            return Visit("delete", wire(self._host, "DELETE", self._kept.popleft().decode()), frozenset((204,)))
        if chance < 0.6:
            return Visit("keep", wire(self._host, "POST", "/gallery", self._keep, CONTENT_TYPE), frozenset((KEPT,)))
        if len(self._kept) > SOME and chance < 0.8:
            return Visit("kept picture", wire(self._host, "GET", f"{self._kept[-1].decode()}/image"), frozenset((READ,)))
        return Visit("list", wire(self._host, "GET", "/gallery?limit=5"), frozenset((READ,)))

    def _bad_visit(self) -> Visit:
        chance = self._hand.random()
        if chance < 0.92:
            return self._hand.choice(self._bad)
        whole = wire(self._host, "POST", "/classify", canvas(), "image/png")
        part = wire(self._host, "POST", "/classify", bytes(HALF), "image/png", announced=TOO_LARGE // 40)
        if chance < 0.945:
            return Visit("aborted", part, frozenset(), False, Manner.ABORTED)
        if chance < 0.97:
            return Visit("unheard", whole, frozenset(), False, Manner.UNHEARD)
        if chance < 0.995:
            large = wire(self._host, "POST", "/classify", bytes(HALF), "image/png", announced=TOO_LARGE)
            return Visit("too large", large, frozenset((413,)), False, Manner.PART)
        return Visit("slow", part, frozenset((408,)), False, Manner.SLOW)


def readings(host: str, models: list[str]) -> list[Visit]:
    """Good pictures to be read: three formats as body and as form by every model, batches, explanations.

    ``digits`` is asked as often as all others together.
    """
    found = []
    for model in models:
        for number, picture in enumerate(_pictures(8 if model == "digits" else 2)):
            kind = f"image/{FORMATS[number % len(FORMATS)].lower()}"
            target = f"/classify?model={model}"
            found.append(Visit(f"classify by {model}", wire(host, "POST", target, picture, kind), frozenset((READ,))))
            body = form([picture], options={"model": model, "top_k": "2"})
            found.append(Visit(f"form to {model}", wire(host, "POST", "/classify", body, CONTENT_TYPE), frozenset((READ,))))
    batch = form(_pictures(BATCH // 3), field="images")
    found.append(Visit("batch", wire(host, "POST", "/classify/batch", batch, CONTENT_TYPE), frozenset((READ,))))
    found.append(Visit("explain", wire(host, "POST", "/explain", canvas(), "image/png"), frozenset((READ,))))
    return found


def bad_pictures(host: str, seed: int, count: int) -> Iterator[Visit]:
    """``count`` requests of the fuzzer that are not good ones."""
    wanted = (shot for shot in shots(2 * count, seed) if shot.expected is None and shot.path != "/gallery")
    for shot in islice(wanted, count):
        yield Visit("bad", shot.wire(host), ALLOWED, False)


def _pictures(count: int) -> list[bytes]:
    """``count`` samples in each of the formats, on white where a format has no transparency."""
    found = []
    for sample in samples()[:: len(samples()) // count][:count]:
        drawing = Image.open(io.BytesIO(sample.data)).convert("RGBA")
        page = Image.new("RGBA", drawing.size, "white")
        page.alpha_composite(drawing)
        for format in FORMATS:
            buffer = io.BytesIO()
            (drawing if format == "PNG" else page.convert("RGB")).save(buffer, format)
            found.append(buffer.getvalue())
    return found
