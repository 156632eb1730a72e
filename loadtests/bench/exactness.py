"""Does load change an answer? Mixed requests over many connections, compared with the same pictures one at a time."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from loadtests.bench.contestants import CONTESTANTS, serving
from loadtests.bench.pictures import CONTENT_TYPE, form, pictures
from loadtests.bench.results import Exactness
from loadtests.samples import samples

CONNECTIONS: Final = 32
LABELS: Final = 10
TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the picture's index, and how it is sent."""

    picture: int
    top_k: int
    content: bytes
    content_type: str
    query: dict[str, str]


@dataclass(slots=True)
class Tally:
    """What was seen so far."""

    failures: int = 0
    wrong_labels: int = 0
    largest_difference: float = 0.0
    batch_sizes: Counter[int] = field(default_factory=Counter)

    def add(self, request: Request, response: httpx.Response, reference: dict[str, Any]) -> None:
        """Compare one answer with the reference of its picture."""
        if response.status_code != 200:
            self.failures += 1
            return
        answer = response.json()
        expected = sorted(reference["probabilities"].values(), reverse=True)[: request.top_k]
        self.wrong_labels += answer["label"] != reference["label"] or len(answer["top"]) != request.top_k
        pairs = [(answer["probabilities"][label], value) for label, value in reference["probabilities"].items()]
        pairs += zip([share["confidence"] for share in answer["top"]], expected, strict=False)
        self.largest_difference = max(self.largest_difference, *(abs(one - other) for one, other in pairs))
        self.batch_sizes[answer["batch_size"]] += 1


def distinct_pictures() -> list[bytes]:
    """Every picture that is sent: the samples and those of the benchmark."""
    return [sample.data for sample in samples()] + [picture.data for picture in pictures().values()]


def mixed(images: list[bytes], count: int, seed: int = 0) -> Iterator[Request]:
    """``count`` requests: pictures in random order, as the body or as a form, options in the query or in the form."""
    hand = random.Random(seed)
    for number in range(count):
        picture, top_k = hand.randrange(len(images)), 1 + number % LABELS
        options = {"top_k": str(top_k)}
        way = hand.choice(("body", "form", "options in form"))
        if way == "body":
            yield Request(picture, top_k, images[picture], "image/png", options)
        elif way == "form":
            yield Request(picture, top_k, form([images[picture]]), CONTENT_TYPE, options)
        else:
            yield Request(picture, top_k, form([images[picture]], options=options), CONTENT_TYPE, {})


async def compare(address: str, count: int) -> Tally:
    """Ask for every picture alone, then post ``count`` mixed requests over ``CONNECTIONS`` connections."""
    images, tally = distinct_pictures(), Tally()
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT_SECONDS) as client:
        references = [await _alone(client, image) for image in images]
        requests = mixed(images, count)

        async def connection() -> None:
            for request in requests:
                response = await client.post(
                    "/classify",
                    params=request.query,
                    content=request.content,
                    headers={"Content-Type": request.content_type},
                )
                tally.add(request, response, references[request.picture])

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return tally


async def _alone(client: httpx.AsyncClient, image: bytes) -> dict[str, Any]:
    response = await client.post("/classify", content=image, headers={"Content-Type": "image/png"})
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


def run_exactness(name: str, count: int, home: Path) -> Exactness:
    """The comparison for one contestant of this service."""
    with serving(CONTESTANTS[name], home) as server:
        tally = asyncio.run(compare(server.address, count))
    return Exactness(
        contestant=name,
        requests=count,
        failures=tally.failures,
        wrong_labels=tally.wrong_labels,
        largest_difference=tally.largest_difference,
        batch_sizes=dict(sorted(tally.batch_sizes.items())),
    )
