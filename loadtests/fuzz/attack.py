"""The requests of a fuzz run, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final
from urllib.parse import urlencode, urlsplit

from loadtests.bench.pictures import CONTENT_TYPE, form
from loadtests.fuzz.corpus import odd_picture
from loadtests.fuzz.hostile import hostile
from loadtests.fuzz.mutation import damaged
from loadtests.fuzz.rarities import rarities
from loadtests.lines import BROKEN, Answer, Line, is_problem, wire
from loadtests.samples import Sample, samples

CONNECTIONS: Final = 16
TIMEOUT_SECONDS: Final = 60.0
MODELS: Final = ("digits", "digits", "characters", "fashion", "nobody")
KINDS: Final = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "image/bmp",
    "application/json",
    "text/html; charset=x",
    "",
)
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

    def wire(self, host: str) -> bytes:
        """The request as it goes over the wire."""
        target = f"{self.path}?{urlencode(self.query)}" if self.query else self.path
        return wire(host, "POST", target, self.content, self.content_type)


@dataclass(slots=True)
class Outcome:
    """What was seen so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    rejected_seconds: list[float] = field(default_factory=list)
    answered_seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    faults: list[tuple[Shot, str]] = field(default_factory=list)

    def add(self, shot: Shot, answer: Answer) -> None:
        """Judge one answer."""
        self.statuses[answer.status] += 1
        (self.answered_seconds if answer.status in ANSWERED else self.rejected_seconds).append(answer.seconds)
        if fault := fault_of(answer):
            self.faults.append((shot, fault))
        elif shot.expected is not None:
            self.wrong += not answer.content.partition(b'"label":"')[2].startswith(f'{shot.expected}"'.encode())


def fault_of(answer: Answer) -> str:
    """What is wrong with an answer, whatever was asked; nothing where it is right."""
    if answer.status == BROKEN:
        return "no answer"
    if answer.status not in ALLOWED:
        return f"{answer.status} {answer.content[-200:]!r}"
    if answer.status not in ANSWERED and not is_problem(answer.content):
        return f"{answer.status} without a problem document, or without the time to try again"
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


async def attack(address: str, requests: Iterable[Shot], outcome: Outcome, connections: int = CONNECTIONS) -> None:
    """Send the requests over so many connections; a connection that breaks off, or is silent for too long, is a fault."""
    waiting, parts = iter(requests), urlsplit(address)
    loop = asyncio.get_running_loop()

    async def connection() -> None:
        line = Line()
        for shot in waiting:
            if not line.open:
                try:
                    _, line = await loop.create_connection(Line, parts.hostname or "127.0.0.1", parts.port or 80)
                except OSError as error:
                    outcome.add(shot, Answer(BROKEN, 0.0, repr(error).encode()))
                    continue
            limit = loop.call_later(TIMEOUT_SECONDS, line.close)
            outcome.add(shot, await line.ask(shot.wire(parts.netloc)))
            limit.cancel()
        line.close()

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
