"""The challenge: draw as many of a model's labels as possible in one minute."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import fmean
from time import monotonic
from typing import Final

from ui.api.schemas import ModelCard

DURATION: Final = 60.0  # seconds
# With more labels than this, a minute asks for too few of them.
MAX_LABELS: Final = 60
MIN_LABELS: Final = 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """One drawing: the label that was asked for, the seconds it took, the PNG if anything was drawn, and whether the model
    recognised it; otherwise it was skipped."""

    wanted: str
    seconds: float
    picture: bytes | None
    solved: bool


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard one label was: how often it was skipped, and the mean number of seconds of all attempts."""

    label: str
    skipped: int
    seconds: float


@dataclass(slots=True)
class Challenge:
    """One game with the labels of a model. Its time runs from its creation; `clock` returns seconds.

    All labels are asked for in random order before any comes again.
    """

    labels: Sequence[str]
    clock: Callable[[], float] = monotonic
    random: Random = field(default_factory=Random)
    attempts: list[Attempt] = field(default_factory=list)
    stopped: bool = field(default=False, init=False)
    wanted: str = field(init=False)
    _queue: list[str] = field(default_factory=list, init=False)
    _started: float = field(init=False)
    _asked: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self._asked = self.clock()
        self.wanted = self._next_label()

    @property
    def remaining(self) -> float:
        """The seconds that are left, 0 after the end."""
        return 0.0 if self.stopped else max(self._started + DURATION - self.clock(), 0.0)

    @property
    def running(self) -> bool:
        """Whether there is time left."""
        return self.remaining > 0

    @property
    def score(self) -> int:
        """How many drawings the model recognised."""
        return sum(attempt.solved for attempt in self.attempts)

    def judge(self, label: str, rejected: bool, picture: bytes) -> bool:
        """Take the model's answer to the drawing; return whether it is the wanted label, accepted and in time."""
        if not self.running or rejected or label != self.wanted:
            return False
        self._end_attempt(picture, solved=True)
        return True

    def skip(self, picture: bytes | None) -> None:
        """Ask for the next label; `picture` is what was drawn, if anything."""
        if self.running:
            self._end_attempt(picture, solved=False)

    def stop(self) -> None:
        """End the game, now or because its time is over."""
        self.stopped = True

    def hardest(self, count: int) -> list[Difficulty]:
        """Return the labels that were skipped most often or, equally often, took longest; the hardest first."""
        attempts: dict[str, list[Attempt]] = {}
        for attempt in self.attempts:
            attempts.setdefault(attempt.wanted, []).append(attempt)
        difficulties = [
            Difficulty(label, sum(not each.solved for each in own), fmean(each.seconds for each in own))
            for label, own in attempts.items()
        ]
        return sorted(difficulties, key=lambda each: (-each.skipped, -each.seconds))[:count]

    def drawings(self, *, solved: bool) -> list[Attempt]:
        """Return the attempts with a drawing that the model recognised, or did not."""
        return [attempt for attempt in self.attempts if attempt.picture is not None and attempt.solved == solved]

    def _end_attempt(self, picture: bytes | None, *, solved: bool) -> None:
        now = self.clock()
        self.attempts.append(Attempt(self.wanted, now - self._asked, picture, solved))
        self._asked = now
        self.wanted = self._next_label()

    def _next_label(self) -> str:
        if not self._queue:
            self._queue = self.random.sample(list(self.labels), len(self.labels))
            if self.attempts and self._queue[-1] == self.attempts[-1].wanted:
                self._queue.reverse()
        return self._queue.pop()


def is_playable(card: ModelCard) -> bool:
    """Return whether a model's labels can be drawn on the sheet one after the other."""
    drawn_alone = card.subject == "ink" and not card.is_sequence
    return drawn_alone and not card.output.multi_label and MIN_LABELS <= len(card.labels) <= MAX_LABELS
