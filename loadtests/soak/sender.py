"""Visits on their way: over connections that are kept, at a pace of their own, and what came of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from loadtests.lines import BROKEN, HEAD_END, LENGTH, STATUS, Answer, Line, is_problem
from loadtests.soak.traffic import Manner, Visit, labels

CONNECTIONS: Final = 32
TICK_SECONDS: Final = 0.005
# What is due for longer is left out: made up for all at once it would be another load than the one that is wanted.
LATE_SECONDS: Final = 0.1
# A service hangs up on who says nothing for a while; a connection that may be about to end is not used again.
IDLE_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 30.0
DRIBBLE_SECONDS: Final = 1.0
MOST_FAULTS: Final = 50
OK: Final = frozenset((200, 201, 204))


@dataclass(slots=True)
class Tally:
    """What came of the visits of some time.

    ``failed`` are good ones and ``wrong`` bad ones that were not answered as they should be, by name and status; ``faults`` are
    some of both in words. ``missed`` were due and not made.
    """

    took: float = 0.0
    good_seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    hung_up: int = 0
    missed: int = 0

    @property
    def sent(self) -> int:
        """All visits that were made."""
        return self.statuses.total() + self.hung_up

    def add(self, visit: Visit, answer: Answer) -> None:
        """Judge the answer to a visit."""
        self.statuses[answer.status] += 1
        fault = fault_of(visit, answer)
        if visit.good:
            self.good_seconds.append(answer.seconds)
        elif visit.manner is not Manner.SLOW and answer.status not in OK:
            self.refused_seconds.append(answer.seconds)
        if fault:
            (self.failed if visit.good else self.wrong)[f"{visit.name}: {answer.status}"] += 1
            self.faults += [fault] if len(self.faults) < MOST_FAULTS else []


def fault_of(visit: Visit, answer: Answer) -> str:
    """What is wrong with an answer, or nothing."""
    if answer.status not in visit.statuses:
        return f"{visit.name}: {answer.status} {answer.content[-200:]!r}"
    if answer.status not in OK and not is_problem(answer.content):
        return f"{visit.name}: {answer.status} without a problem document"
    if visit.said is not None and labels(answer.content) != visit.said:
        return f"{visit.name}: {labels(answer.content)!r} in the place of {visit.said!r}"
    return ""


class Sender:
    """Makes visits to one service; its tally of them may be replaced at any time. ``learn`` is told what is answered."""

    def __init__(self, address: str, learn: Callable[[Visit, bytes], None]) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._learn = learn
        self._free: list[tuple[Line, float]] = []
        self._lines: set[Line] = set()
        self._streams = 0
        self.tally = Tally()

    @property
    def connections(self) -> int:
        """Connections that are open."""
        self._lines = {line for line in self._lines if line.open}
        return len(self._lines) + self._streams

    async def make(self, visit: Visit) -> None:
        """Make one visit and count what comes of it."""
        try:
            answer = await (self.ask(visit) if visit.manner is Manner.PLAIN else self._rude(visit))
        except (OSError, asyncio.IncompleteReadError) as error:
            answer = Answer(BROKEN, 0.0, repr(error).encode())
        if answer is None:
            self.tally.hung_up += 1
        else:
            self._learn(visit, answer.content)
            self.tally.add(visit, answer)

    async def ask(self, visit: Visit) -> Answer:
        """The answer to a plain visit over a connection that is kept; a broken one when it takes too long."""
        line = await self._line()
        limit = asyncio.get_running_loop().call_later(ANSWER_SECONDS, line.close)
        answer = await line.ask(visit.wire)
        limit.cancel()
        if line.open:
            self._free.append((line, perf_counter()))
        return answer

    def close(self) -> None:
        """Hang up everywhere."""
        for line in self._lines:
            line.close()

    async def _rude(self, visit: Visit) -> Answer | None:
        """What is answered over a connection of its own, or None where that is not waited for."""
        began = perf_counter()
        reader, writer = await asyncio.open_connection(self._host, self._port)
        self._streams += 1
        try:
            writer.write(visit.wire)
            if visit.manner in (Manner.ABORTED, Manner.UNHEARD):
                return None
            answering = asyncio.ensure_future(_answer(reader))
            pause = DRIBBLE_SECONDS if visit.manner is Manner.SLOW else ANSWER_SECONDS
            while not (await asyncio.wait([answering], timeout=pause))[0]:
                if perf_counter() > began + ANSWER_SECONDS:
                    answering.cancel()
                    return Answer(BROKEN, ANSWER_SECONDS, b"no answer in time")
                if not writer.is_closing():
                    writer.write(b"\0")
            content = answering.result()
            return Answer(int(content[STATUS]), perf_counter() - began, content)
        finally:
            self._streams -= 1
            writer.close()

    async def _line(self) -> Line:
        while self._free:
            line, since = self._free.pop()
            if line.open and perf_counter() - since < IDLE_SECONDS:
                return line
            line.close()
        _, line = await asyncio.get_running_loop().create_connection(Line, self._host, self._port)
        self._lines.add(line)
        return line


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """A whole answer."""
    head = await reader.readuntil(HEAD_END)
    length = next(int(line[len(LENGTH) :]) for line in head.lower().split(b"\r\n") if line.startswith(LENGTH))
    return head + await reader.readexactly(length)


async def closed(sender: Sender, visits: Iterator[Visit], seconds: float) -> Tally:
    """``CONNECTIONS`` visitors, each of whom asks again when it has its answer, until the visits or ``seconds`` are over."""
    sender.tally = tally = Tally()
    began = perf_counter()

    async def visitor() -> None:
        for visit in visits:
            await sender.make(visit)
            if perf_counter() > began + seconds:
                return

    await asyncio.gather(*(visitor() for _ in range(CONNECTIONS)))
    tally.took = perf_counter() - began
    return tally


async def paced(sender: Sender, visits: Iterator[Visit], rate: float, seconds: float) -> set["asyncio.Task[None]"]:
    """``rate`` visits a second, whatever becomes of those before; what is late is left out, and counted as missed.

    Gives those that are under way at the end.
    """
    began, done = perf_counter(), 0
    making: set[asyncio.Task[None]] = set()
    while (now := perf_counter() - began) < seconds:
        due, late = int(now * rate), int((now - LATE_SECONDS) * rate)
        if late > done:
            sender.tally.missed += late - done
            done = late
        for _ in range(due - done):
            task = asyncio.create_task(sender.make(next(visits)))
            making.add(task)
            task.add_done_callback(making.discard)
        done = due
        await asyncio.sleep(TICK_SECONDS)
    return making
