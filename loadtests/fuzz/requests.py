"""Generates the requests of a fuzz run, and sends them."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final
from urllib.parse import urlencode

from loadtests.fuzz.corpus import random_image
from loadtests.fuzz.malicious import malicious_files
from loadtests.fuzz.mutation import mutate
from loadtests.fuzz.rare_formats import rare_files
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import Handler, closed_loop
from loadtests.requests import FORM_TYPE, Request, encode_form
from loadtests.samples import samples

CONNECTIONS: Final = 16
TIMEOUT_SECONDS: Final = 60.0
MODELS: Final = ("digits", "digits", "characters", "fashion", "text", "unknown")
CONTENT_TYPES: Final = (
    *(f"image/{name}" for name in ("png", "jpeg", "webp", "gif", "bmp")),
    *("application/json", "text/html; charset=x", ""),
)
OPTIONS: Final[tuple[dict[str, str], ...]] = (
    {}, {"top_k": "1"}, {"top_k": "0"}, {"top_k": "-1e9"}, {"device": "gpu"}, {"device": "\x00"}, {"model": ""}, {"image": "x"},
)  # fmt: skip
# Shares of the requests: good images, batches, images for the gallery. Shares of the bad images: malicious, rare, and valid
# ones; the others are damaged.
GOOD, BATCHES, GALLERY = 0.1, 0.05, 0.03
MALICIOUS, RARE, VALID = 0.02, 0.05, 0.15
BATCH: Final = 6
# What the API may answer to anything; nothing here takes so long that 504 would be right.
ALLOWED: Final = frozenset((200, 201, 400, 404, 408, 409, 413, 415, 422, 429, 503))


def bad_request(path: str, query: dict[str, str], body: bytes, content_type: str) -> Request:
    """Make a request that may be answered with any status in ``ALLOWED``; its name says where it goes."""
    target = f"{path}?{urlencode(query)}" if query else path
    return Request(f"{target} {content_type!r}", target, body, content_type, statuses=ALLOWED, good=False)


def generate(count: int, seed: int) -> Iterator[Request]:
    """Generate ``count`` requests, the same for the same seed."""
    rng, digits = Random(seed), samples()
    malicious, rare = list(malicious_files().values()), [file.data for file in rare_files().values()]

    def bad_image() -> bytes:
        chance = rng.random()
        if chance < MALICIOUS:
            return rng.choice(malicious)
        if chance < MALICIOUS + RARE:
            return rng.choice(rare)
        image = rng.choice(rare) if rng.random() < RARE else random_image(rng)
        return image if chance < MALICIOUS + RARE + VALID else mutate(image, rng)

    for _ in range(count):
        chance = rng.random()
        if chance < GOOD:
            sample = rng.choice(digits)
            body, content_type = (sample.data, "image/png") if rng.random() < 0.5 else (encode_form([sample.data]), FORM_TYPE)
            yield Request(f"/classify {sample.name}", "/classify", body, content_type, labels=(sample.expected,))
        elif chance < GOOD + BATCHES:
            form = encode_form([bad_image() for _ in range(BATCH)], "images")
            yield bad_request("/classify/batch", {"model": rng.choice(MODELS)}, form, FORM_TYPE)
        else:
            path = "/gallery" if chance < GOOD + BATCHES + GALLERY else "/explain" if rng.random() < 0.05 else "/classify"
            query = {"model": rng.choice(MODELS), **rng.choice(OPTIONS)} if rng.random() < 0.3 else {}
            body, content_type = bad_image(), rng.choice(CONTENT_TYPES)
            if rng.random() < 0.4:
                body, content_type = encode_form([body]), FORM_TYPE
                body = mutate(body, rng) if rng.random() < 0.2 else body
            yield bad_request(path, query, body, content_type)


def run(address: str, requests: Iterable[Request], handle: Handler, connections: int = CONNECTIONS) -> None:
    """Send the requests over so many connections."""
    client = ServiceClient(address, connections, TIMEOUT_SECONDS)
    closed_loop(client, iter(requests), handle, connections)
    client.close()
