"""The requests of a fuzz run, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Final

import httpx

from loadtests.bench.pictures import CONTENT_TYPE, form
from loadtests.fuzz.corpus import odd_picture
from loadtests.fuzz.hostile import hostile
from loadtests.fuzz.mutation import damaged
from loadtests.fuzz.rarities import rarities
from loadtests.samples import Sample, samples

CONNECTIONS: Final = 16
TIMEOUT_SECONDS: Final = 60.0
MODELS: Final = ("digits", "digits", "characters", "fashion", "nobody")
KINDS: Final = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/json", "text/html; charset=x", "")
OPTIONS: Final[tuple[dict[str, str], ...]] = (
    {}, {"top_k": "1"}, {"top_k": "0"}, {"top_k": "-1e9"}, {"device": "gpu"}, {"device": "\x00"}, {"model": ""}, {"image": "x"},
)  # fmt: skip
# Shares of the requests: pictures that must be read rightly, batches, pictures to be kept. Of the bad pictures: hand-made ones,
# rare ones, valid odd ones; the rest is damaged.
GOOD, BATCHES, KEPT = 0.1, 0.05, 0.03
MADE, RARE, ODD = 0.02, 0.05, 0.15
BATCH: Final = 6
# What a service may answer to anything at all; nothing here takes so long that 504 would be right.
ANSWERED: Final = frozenset((200, 201))
ALLOWED: Final = ANSWERED | {400, 404, 408, 409, 413, 415, 422, 429, 503}


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, and the label it must be answered with where its picture is a good one."""

    path: str
    query: dict[str, str]
    content: bytes
    content_type: str
    expected: str | None = None


@dataclass(slots=True)
class Outcome:
    """What was seen so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    rejected_seconds: list[float] = field(default_factory=list)
    answered_seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    faults: list[tuple[Shot, str]] = field(default_factory=list)

    def add(self, shot: Shot, response: httpx.Response, seconds: float) -> None:
        """Judge one answer."""
        self.statuses[response.status_code] += 1
        (self.answered_seconds if response.status_code in ANSWERED else self.rejected_seconds).append(seconds)
        if fault := fault_of(response):
            self.faults.append((shot, fault))
        elif shot.expected is not None and (response.status_code != 200 or response.json()["label"] != shot.expected):
            self.wrong += 1


def fault_of(response: httpx.Response) -> str:
    """What is wrong with an answer, whatever was asked; nothing where it is right."""
    status, headers = response.status_code, response.headers
    if status not in ALLOWED:
        return f"{status} {response.text[:200]}"
    if status not in ANSWERED and headers.get("content-type") != "application/problem+json":
        return f"{status} without a problem document"
    if status in (429, 503) and not headers.get("retry-after", "").isdigit():
        return f"{status} without the time to try again"
    return ""


def shots(count: int, seed: int) -> Iterator[Shot]:
    """``count`` requests, the same for the same seed."""
    hand, good = Random(seed), samples()
    made, rare = list(hostile().values()), [rarity.data for rarity in rarities().values()]
    for _ in range(count):
        chance = hand.random()
        if chance < GOOD:
            yield _good(hand.choice(good), hand)
        elif chance < GOOD + BATCHES:
            content, kind = _form([_bad(hand, made, rare) for _ in range(BATCH)], "images")
            yield Shot("/classify/batch", {"model": hand.choice(MODELS)}, content, kind)
        else:
            path = "/gallery" if chance < GOOD + BATCHES + KEPT else "/explain" if hand.random() < 0.05 else "/classify"
            query = {"model": hand.choice(MODELS), **hand.choice(OPTIONS)} if hand.random() < 0.3 else {}
            content, kind = _bad(hand, made, rare), hand.choice(KINDS)
            if hand.random() < 0.4:
                content, kind = _form([content], "image")
                content = damaged(content, hand) if hand.random() < 0.2 else content
            yield Shot(path, query, content, kind)


async def attack(address: str, requests: Sequence[Shot], outcome: Outcome, connections: int = CONNECTIONS) -> None:
    """Send the requests over so many connections; a connection that breaks off is a fault."""
    waiting = iter(requests)
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT_SECONDS, trust_env=False) as client:

        async def connection() -> None:
            for shot in waiting:
                started = perf_counter()
                headers = {"Content-Type": shot.content_type} if shot.content_type else {}
                try:
                    response = await client.post(shot.path, params=shot.query, content=shot.content, headers=headers)
                except httpx.TransportError as error:
                    outcome.faults.append((shot, f"no answer: {error!r}"))
                else:
                    outcome.add(shot, response, perf_counter() - started)

        await asyncio.gather(*(connection() for _ in range(connections)))


def _good(sample: Sample, hand: Random) -> Shot:
    if hand.random() < 0.5:
        return Shot("/classify", {}, sample.data, "image/png", sample.label)
    content, kind = _form([sample.data], "image")
    return Shot("/classify", {}, content, kind, sample.label)


def _bad(hand: Random, made: list[bytes], rare: list[bytes]) -> bytes:
    chance = hand.random()
    if chance < MADE:
        return hand.choice(made)
    if chance < MADE + RARE:
        return hand.choice(rare)
    picture = hand.choice(rare) if hand.random() < RARE else odd_picture(hand)
    return picture if chance < MADE + RARE + ODD else damaged(picture, hand)


def _form(pictures: list[bytes], field: str) -> tuple[bytes, str]:
    return form(pictures, field=field), CONTENT_TYPE
